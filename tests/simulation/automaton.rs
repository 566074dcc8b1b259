//! The option negotiation automaton of RFC 1661 section 4.1, for LCP and IPCP.

pub const RESTART: i64 = 3000;
const MAX_CONFIGURE: u32 = 10;
const MAX_TERMINATE: u32 = 2;

pub type Options = Vec<(u8, Vec<u8>)>;

/// Events of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Up,
    Down,
    Close,
    Timeout,
    Request { good: bool },
    Ack,
    Nak,
    TerminateRequest,
    TerminateAck,
}

/// Actions of the table that others carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Request,
    /// The Configure-Ack, -Nak or -Reject that the request asks for.
    Answer,
    Terminate,
    TerminateAck,
    LayerUp,
    LayerDown,
    Finished,
}

/// States 0 to 9 as the RFC numbers them.
const INITIAL: u8 = 0;
const STARTING: u8 = 1;
const CLOSED: u8 = 2;
const STOPPED: u8 = 3;
const CLOSING: u8 = 4;
const STOPPING: u8 = 5;
const REQ_SENT: u8 = 6;
const ACK_RCVD: u8 = 7;
const ACK_SENT: u8 = 8;
const OPENED: u8 = 9;

#[derive(Debug)]
pub struct Automaton {
    pub protocol: u16,
    pub state: u8,
    /// The Identifier of the last Configure-Request.
    pub id: u8,
    /// A reply came for the last request, so the next one needs another Identifier (section 5.1).
    pub answered: bool,
    pub wanted: Options,
    pub timer: Option<i64>,
    count: u32,
}

impl Automaton {
    /// Open was asked for before the lower layer came up.
    pub fn new(protocol: u16, wanted: Options) -> Self {
        Self { protocol, state: STARTING, id: 0, answered: true, wanted, timer: None, count: 0 }
    }

    pub fn opened(&self) -> bool {
        self.state == OPENED
    }

    pub fn talks(&self) -> bool {
        !matches!(self.state, INITIAL | STARTING)
    }

    pub fn step(&mut self, event: Event, now: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        let state = self.state;
        let begin = |machine: &mut Self| machine.count = MAX_CONFIGURE;
        match event {
            Event::Up if state == STARTING => {
                begin(self);
                actions.push(Action::Request);
                self.state = REQ_SENT;
            }
            Event::Up => self.state = if state == INITIAL { CLOSED } else { state },
            Event::Down => {
                if state == OPENED {
                    actions.push(Action::LayerDown);
                }
                self.state = if matches!(state, CLOSED | CLOSING) { INITIAL } else { STARTING };
                self.timer = None;
            }
            Event::Close => match state {
                REQ_SENT..=OPENED => {
                    if state == OPENED {
                        actions.push(Action::LayerDown);
                    }
                    self.count = MAX_TERMINATE;
                    actions.push(Action::Terminate);
                    self.state = CLOSING;
                }
                STOPPED => self.state = CLOSED,
                STOPPING => self.state = CLOSING,
                _ => {}
            },
            Event::Timeout => self.timeout(&mut actions),
            Event::Request { good } => self.request(good, &mut actions),
            Event::Ack | Event::Nak => self.reply(event == Event::Ack, &mut actions),
            Event::TerminateRequest => {
                if !self.talks() {
                    return actions;
                }
                actions.push(Action::TerminateAck);
                if state == OPENED {
                    actions.insert(0, Action::LayerDown);
                    self.count = 0;
                    self.state = STOPPING;
                } else if matches!(state, ACK_RCVD | ACK_SENT) {
                    self.state = REQ_SENT;
                }
            }
            Event::TerminateAck => match state {
                CLOSING | STOPPING => {
                    actions.push(Action::Finished);
                    self.state = if state == CLOSING { CLOSED } else { STOPPED };
                }
                ACK_RCVD => self.state = REQ_SENT,
                OPENED => {
                    actions.extend([Action::LayerDown, Action::Request]);
                    self.state = REQ_SENT;
                }
                _ => {}
            },
        }
        let sends = actions.iter().any(|action| matches!(action, Action::Request | Action::Terminate));
        let waits = matches!(self.state, CLOSING..=ACK_SENT);
        if !waits {
            self.timer = None;
        } else if sends || (state == OPENED && self.state == STOPPING) {
            self.timer = Some(now + RESTART);
            self.count = self.count.saturating_sub(u32::from(sends));
        } else if self.timer.is_none() {
            self.timer = Some(now + RESTART);
        }
        actions
    }

    fn timeout(&mut self, actions: &mut Vec<Action>) {
        let again = self.count > 0;
        match self.state {
            CLOSING | STOPPING if again => actions.push(Action::Terminate),
            CLOSING | STOPPING => {
                actions.push(Action::Finished);
                self.state = if self.state == CLOSING { CLOSED } else { STOPPED };
            }
            REQ_SENT..=ACK_SENT if again => {
                actions.push(Action::Request);
                if self.state == ACK_RCVD {
                    self.state = REQ_SENT;
                }
            }
            REQ_SENT..=ACK_SENT => {
                actions.push(Action::Finished);
                self.state = STOPPED;
            }
            _ => {}
        }
    }

    fn request(&mut self, good: bool, actions: &mut Vec<Action>) {
        match self.state {
            CLOSED => actions.push(Action::TerminateAck),
            STOPPED => {
                self.count = MAX_CONFIGURE;
                actions.extend([Action::Request, Action::Answer]);
                self.state = if good { ACK_SENT } else { REQ_SENT };
            }
            REQ_SENT | ACK_SENT => {
                actions.push(Action::Answer);
                self.state = if good { ACK_SENT } else { REQ_SENT };
            }
            ACK_RCVD => {
                actions.push(Action::Answer);
                if good {
                    actions.push(Action::LayerUp);
                    self.state = OPENED;
                }
            }
            OPENED => {
                self.count = MAX_CONFIGURE;
                actions.extend([Action::LayerDown, Action::Request, Action::Answer]);
                self.state = if good { ACK_SENT } else { REQ_SENT };
            }
            _ => {}
        }
    }

    fn reply(&mut self, ack: bool, actions: &mut Vec<Action>) {
        match self.state {
            CLOSED | STOPPED => actions.push(Action::TerminateAck),
            REQ_SENT => {
                self.count = MAX_CONFIGURE;
                if ack {
                    self.state = ACK_RCVD;
                } else {
                    actions.push(Action::Request);
                }
            }
            ACK_RCVD => {
                actions.push(Action::Request);
                self.state = REQ_SENT;
            }
            ACK_SENT => {
                self.count = MAX_CONFIGURE;
                if ack {
                    actions.push(Action::LayerUp);
                    self.state = OPENED;
                } else {
                    actions.push(Action::Request);
                }
            }
            OPENED => {
                actions.extend([Action::LayerDown, Action::Request]);
                self.state = REQ_SENT;
            }
            _ => {}
        }
    }
}
