//! What stops an attempt: authentication.

use super::declare;

declare! {
    Authentication:
    /// MS-CHAPv2 is answered by a Failure with E=691: wrong user name or password.
    MSCHAPV2_FAILURE = "mschapv2-failure";

    /// MS-CHAP is answered by a Failure with another reason than 691: hours (646), disabled (647), password expired (648),
    /// no dial-in permission (649).
    ACCOUNT_REFUSED = "account-refused";

    /// PAP, CHAP-MD5 or EAP is refused: the credentials are wrong.
    PPP_AUTH_FAILED = "ppp-auth-failed";

    /// LCP finds no common authentication protocol.
    AUTH_PROTOCOL_DISAGREED = "auth-protocol-disagreed";

    /// Each PPP peer demands authentication from the other, and one refuses to give it.
    BOTH_SIDES_AUTHENTICATE = "both-sides-authenticate";

    /// The credentials are sent and never answered, neither accepted nor refused: the authenticator (RADIUS) is silent.
    AUTH_NO_ANSWER = "auth-no-answer", absent;

    /// The authenticator asks again and again, and the peer never responds.
    AUTH_NOT_GIVEN = "auth-not-given", absent;

    /// The password was accepted, and the client refuses the Success message: its authenticator response is missing,
    /// wrong or badly formed (RFC 2759 section 5).
    SUCCESS_MALFORMED = "mschapv2-success-malformed";
}
