//! Ties dissection and analysis together: frames in, an [`Analysis`] out.
//!
//! Frames are gathered in batches. The *open* stage dissects each frame of a batch alone, which is where decryption
//! happens and what several workers may share one day; the *ordered* stage then takes the results in the order of
//! the capture. Whatever depends on earlier frames (reassembly, ports learned from control messages, doubles, states)
//! happens in the ordered stage, so the result does not depend on how batches were cut.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::analysis::limits::{Limit, Limits};
use crate::analysis::log::fresh::Fresh;
use crate::analysis::{Analysis, Foreseen, Meta, PacketContext, Paused, Tracker};
use crate::dissect::defrag::Defrag;
use crate::dissect::frame::Clock;
use crate::dissect::ike::IkeState;
use crate::dissect::layers::Layers;
use crate::dissect::{Context, Learned, Scratch, Told, dissect, glance};
use crate::field::{Nothing, Sink};
use crate::ipsec::{Ahead, Hints, Sad, SecretsFile, Spi};
use crate::util::{Frame, Timestamp};

/// Frames of one batch.
const BATCH_FRAMES: usize = 512;
/// Octets of one batch, a little more at the most.
const BATCH_OCTETS: usize = 1 << 20;

/// Frames that both stages look ahead.
const AHEAD: usize = 64;

/// The keys that an inspector opens ESP with: lent at first, its own once some were added.
#[derive(Debug, Clone)]
pub enum Keys<'k> {
    /// Those that it began with.
    Lent(&'k Sad),
    /// Those, and more.
    Grown(Arc<Sad>),
}

impl Deref for Keys<'_> {
    type Target = Sad;

    fn deref(&self) -> &Sad {
        match self {
            Self::Lent(sad) => sad,
            Self::Grown(sad) => sad,
        }
    }
}

/// Inspects the frames of one capture.
#[derive(Debug)]
pub struct Inspector<'k> {
    keys: Keys<'k>,
    tracker: Tracker,
    defrag: Defrag,
    ike: IkeState,
    worker: Worker,
    batch: Batch,
    clock: Clock,
    layers: Layers,
    transcribes: bool,
    selected: Option<Tracker>,
}

/// What a worker keeps from batch to batch.
#[derive(Debug)]
struct Worker {
    told: Told,
    hints: Hints,
    scratch: Scratch,
    ahead: Ahead,
}

/// Frames that wait to be opened, their octets in one arena, and what came of opening them.
#[derive(Debug, Default)]
struct Batch {
    octets: Vec<u8>,
    frames: Vec<Held>,
    layers: Vec<Layers>,
    foreseen: Vec<Foreseen>,
}

#[derive(Debug)]
struct Held {
    meta: Meta,
    interface: u32,
    offset: u64,
    octets: Range<usize>,
}

impl Held {
    fn frame<'a>(&self, octets: &'a [u8]) -> Frame<'a> {
        Frame {
            number: self.meta.packet,
            time: self.meta.time,
            link: self.meta.link,
            interface: self.interface,
            data: octets.get(self.octets.clone()).unwrap_or_default(),
            original_len: self.meta.original,
            offset: self.offset,
        }
    }
}

impl<'k> Inspector<'k> {
    /// An inspector that opens ESP with these keys.
    pub fn new(sad: &'k Sad, limits: Limits) -> Self {
        Self {
            keys: Keys::Lent(sad),
            tracker: Tracker::new(limits),
            defrag: Defrag::default(),
            ike: IkeState::default(),
            worker: Worker {
                told: Told::default(),
                hints: Hints::new(sad),
                scratch: Scratch::default(),
                ahead: Ahead::default(),
            },
            batch: Batch::default(),
            clock: Clock::default(),
            layers: Layers::default(),
            transcribes: false,
            selected: None,
        }
    }

    /// The keys that it has now.
    pub fn keys(&self) -> &Keys<'k> {
        &self.keys
    }

    /// Goes on with `sad`, which has the SAs of the one before in the same places, and more. What was opened, or stayed
    /// sealed, is not touched.
    pub fn grow(&mut self, sad: Arc<Sad>) {
        self.worker.hints.grow(&sad);
        self.keys = Keys::Grown(sad);
    }

    /// Remembers from now on SPIs without a key, for [`strangers`](Self::strangers).
    pub fn watch_keys(&mut self) {
        self.worker.hints.watch();
    }

    /// The SPIs without a key of the packets that were opened since the last call.
    pub fn strangers(&mut self) -> impl Iterator<Item = Spi> {
        self.worker.hints.strangers()
    }

    /// Goes on with other secrets than were [told](Self::tell).
    pub fn tell_secrets(&mut self, secrets: SecretsFile) {
        self.worker.told.secrets = Arc::new(secrets.tunnels);
        self.worker.told.users = Arc::new(secrets.users);
        self.tracker.tell_more(self.worker.told.clone());
    }

    /// Dissects the next frame of the capture at once and tells `sink` all of it: for views of packets. It is to be
    /// [followed](Self::follow) before the next one comes.
    pub fn look<S: Sink>(&mut self, frame: &Frame<'_>, sink: &mut S) -> &Layers {
        self.layers = Layers::default();
        self.clock.describe(frame, sink);
        let mut context = Context {
            sad: &self.keys,
            hints: &mut self.worker.hints,
            scratch: &mut self.worker.scratch,
            defrag: Some(&mut self.defrag),
            ike: Some(&mut self.ike),
            learned: self.tracker.learned(),
        };
        dissect(frame, &mut context, sink, &mut self.layers);
        &self.layers
    }

    /// Follows the frame that was looked at last, and says where it belongs.
    pub fn follow(&mut self, frame: &Frame<'_>) -> PacketContext {
        self.tracker.place(&Meta::of(frame), &self.layers)
    }

    /// The typed layers of the frame that was looked at last.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Takes what the user says beforehand. To be called before the first frame.
    pub fn tell(&mut self, told: &Told) {
        self.worker.told = told.clone();
        self.tracker.tell(told.clone());
    }

    /// Reports, at the end, only of frames that were [kept](Self::keep).
    pub fn select(&mut self, limits: Limits) {
        self.selected = Some(Tracker::new(limits));
    }

    /// Keeps the frame that was looked at last for the report. All frames are to be followed all the same: what is
    /// kept may depend on them, such as fragments and ports.
    pub fn keep(&mut self, frame: &Frame<'_>) {
        if let Some(selected) = &mut self.selected {
            let meta = Meta::of(frame);
            if !selected.place(&meta, &self.layers).double {
                selected.take_down(&meta, &self.layers);
            }
        }
    }

    /// Keeps from now on what every message said, in the logs. To be called after
    /// [`select`](Self::select), if that is.
    pub fn transcribe(&mut self) {
        self.transcribes = true;
        self.reported().transcribe();
    }

    /// The buffers that were made of the frame that was looked at last.
    pub fn scratch(&self) -> &Scratch {
        &self.worker.scratch
    }

    /// Takes the next frame of the capture.
    pub fn push(&mut self, frame: &Frame<'_>) {
        let start = self.batch.octets.len();
        self.batch.octets.extend_from_slice(frame.data);
        let octets = start..self.batch.octets.len();
        let held = Held { meta: Meta::of(frame), interface: frame.interface, offset: frame.offset, octets };
        self.batch.frames.push(held);
        if self.batch.frames.len() >= BATCH_FRAMES || self.batch.octets.len() >= BATCH_OCTETS {
            self.flush();
        }
    }

    /// Opens and analyses what was gathered.
    pub fn flush(&mut self) {
        self.batch.open(&self.keys, &mut self.worker);
        self.in_order();
        self.batch.clear();
    }

    /// Ends the capture.
    pub fn finish(mut self) -> Analysis {
        self.flush();
        let mut analysis = self.selected.take().unwrap_or(self.tracker).finish();
        conclude(&mut analysis, &self.defrag, &self.ike);
        analysis
    }

    /// What would be found if the capture ended now. It is to be given [back](Self::resume) before the next frame.
    pub fn pause(&mut self) -> (Analysis, Paused) {
        self.flush();
        let (mut analysis, paused) = self.reported().pause();
        conclude(&mut analysis, &self.defrag, &self.ike);
        (analysis, paused)
    }

    /// Goes on after a [pause](Self::pause).
    pub fn resume(&mut self, analysis: Analysis, paused: Paused) {
        self.reported().resume(analysis, paused);
    }

    /// Analyses what was gathered, and says whether so much ended that [`let_go`](Self::let_go) has something to do.
    /// `now` is the time where no packet tells it.
    pub fn is_full(&mut self, now: Timestamp) -> bool {
        self.flush();
        let selected = self.selected.as_mut().is_some_and(|tracker| tracker.is_full(now));
        self.tracker.is_full(now) || selected
    }

    /// Lets go of all that ended but the newest.
    pub fn let_go(&mut self) {
        self.flush();
        // Long pieces of memory that stay hold others that are freed around them.
        self.batch = Batch::default();
        self.tracker.let_go();
        self.selected.iter_mut().for_each(Tracker::let_go);
    }

    /// What was found so far, without what can be said at the end only.
    pub fn so_far(&self) -> &Analysis {
        self.selected.as_ref().unwrap_or(&self.tracker).so_far()
    }

    /// What happened since the last call, what was gathered included; its ids hold until something is let go of. To be
    /// [asked for](Self::watch) before the first frame.
    pub fn events(&mut self) -> (Vec<Fresh>, &Analysis) {
        self.flush();
        let tracker = self.reported();
        (tracker.fresh(), tracker.so_far())
    }

    /// Keeps from now on what happens, for [`events`](Self::events). To be called after [`select`](Self::select), if
    /// that is.
    pub fn watch(&mut self) {
        self.reported().watch();
    }

    fn reported(&mut self) -> &mut Tracker {
        self.selected.as_mut().unwrap_or(&mut self.tracker)
    }

    fn in_order(&mut self) {
        let Batch { octets, frames, layers, foreseen } = &mut self.batch;
        for (frames, layers) in frames.chunks(AHEAD).zip(layers.chunks_mut(AHEAD)) {
            self.tracker.foresee(layers, foreseen);
            for ((held, layers), mut foreseen) in frames.iter().zip(layers).zip(foreseen.iter().copied()) {
                if self.tracker.count(&held.meta, layers.digest) {
                    continue;
                }
                if self.tracker.wants_again(layers) {
                    *layers = Layers::default();
                    foreseen = Foreseen::default();
                    let mut context = Context {
                        sad: &self.keys,
                        hints: &mut self.worker.hints,
                        scratch: &mut self.worker.scratch,
                        defrag: Some(&mut self.defrag),
                        ike: Some(&mut self.ike),
                        learned: self.tracker.learned(),
                    };
                    dissect(&held.frame(octets), &mut context, &mut Nothing, layers);
                }
                self.tracker.push(&held.meta, layers, foreseen);
                if self.transcribes {
                    self.tracker.take_down(&held.meta, layers);
                }
            }
        }
    }
}

/// Adds to the end of a capture what dissection counted.
fn conclude(analysis: &mut Analysis, defrag: &Defrag, ike: &IkeState) {
    analysis.incomplete_datagrams = defrag.incomplete();
    let [states, fragments] = ike.pushed_out();
    let limits = [
        (Limit::Fragments, defrag.over_limit()),
        (Limit::IkeStates, states),
        (Limit::IkeFragments, fragments),
    ];
    analysis.reached.extend(limits.into_iter().filter(|(_, count)| *count > 0));
}

impl Batch {
    /// Dissects every frame alone.
    fn open(&mut self, sad: &Sad, worker: &mut Worker) {
        let Worker { told: learned, .. } = &*worker;
        let learned = &Learned::with(learned.clone());
        for frames in self.frames.chunks(AHEAD) {
            if sad.is_large() {
                let packets = frames.iter().filter_map(|held| glance(&held.frame(&self.octets)));
                sad.foresee(&worker.hints, packets, &mut worker.ahead);
            }
            for held in frames {
                let mut layers = Layers::default();
                let mut context = Context {
                    sad,
                    hints: &mut worker.hints,
                    scratch: &mut worker.scratch,
                    defrag: None,
                    ike: None,
                    learned,
                };
                dissect(&held.frame(&self.octets), &mut context, &mut Nothing, &mut layers);
                self.layers.push(layers);
            }
        }
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.frames.clear();
        self.layers.clear();
    }
}
