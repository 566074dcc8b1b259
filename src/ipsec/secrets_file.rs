//! The file of `--secrets`: secrets of tunnels, and passwords of users.

use toml::de::DeTable;

use crate::util::Printable;

use super::keys::{KeyError, MAX_FILE_OCTETS, Reason};
use super::tunnel_secrets::TunnelSecrets;
use super::users::Users;

/// What stands in it.
#[derive(Debug, Default)]
pub struct SecretsFile {
    /// The secrets of tunnels.
    pub tunnels: TunnelSecrets,
    /// The users and their passwords.
    pub users: Users,
}

impl SecretsFile {
    /// Reads a file with tables `[[tunnel]]` (`secret`, and if they are known `lac` and `lns`) and `[[user]]` (`name`
    /// and `password`).
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where; no byte of a secret is repeated.
    pub fn parse(file: &Printable, text: &str) -> Result<Self, KeyError> {
        let limit = MAX_FILE_OCTETS;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > limit {
            return Err(KeyError::TooLarge { file: file.clone(), limit });
        }
        let line = |at: usize| {
            let before = text.as_bytes().get(..at).unwrap_or_default();
            u32::try_from(before.iter().filter(|octet| **octet == b'\n').count())
                .map_or(u32::MAX, |n| n.saturating_add(1))
        };
        let wrong = |at: usize, reason| KeyError::Line { file: file.clone(), line: line(at), reason };
        // The library's own message quotes the line, so only its position is used.
        let root = DeTable::parse(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), Reason::NotToml { column: 1 })
        })?;
        let mut secrets = Self::default();
        for (key, value) in root.get_ref() {
            let at = value.span().start;
            let expected =
                Reason::WrongType { key: "each table", expected: "written [[tunnel]] or [[user]]" };
            let tunnel = match key.get_ref().as_ref() {
                "tunnel" => true,
                "user" => false,
                _ => return Err(wrong(key.span().start, expected)),
            };
            let tables = value.get_ref().as_array().ok_or_else(|| wrong(at, expected.clone()))?;
            for entry in tables {
                let table = entry.get_ref().as_table().ok_or_else(|| wrong(at, expected.clone()))?;
                let added = if tunnel { secrets.tunnels.add(table) } else { secrets.users.add(table) };
                added.map_err(|reason| wrong(entry.span().start, reason))?;
            }
        }
        Ok(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Result<SecretsFile, KeyError> {
        SecretsFile::parse(&Printable::from_text("secrets.toml"), text)
    }

    #[test]
    fn tunnels_and_users_stand_in_one_file() {
        let both = secrets("[[user]]\nname = \"a\"\npassword = \"b\"\n[[tunnel]]\nsecret = \"c\"\n").unwrap();
        assert!(!both.tunnels.is_empty() && !both.users.is_empty());
        let none = secrets("").unwrap();
        assert!(none.tunnels.is_empty() && none.users.is_empty());
        assert_eq!(format!("{both:?}"), "SecretsFile { tunnels: TunnelSecrets(1), users: Users(1) }");
    }

    #[test]
    fn faults_name_the_line_and_never_the_secret() {
        for text in [
            "[[tunnel]]\nlac = \"x\"\nsecret = \"hush-hush\"",
            "[[tunnel]]\nsecret = 7",
            "[[tunnel]]\n",
            "hush-hush",
            "[[hush]]\na = 1",
            "[[user]]\nname = \"a\"\n",
            "[[user]]\npassword = \"hush\"\n",
            "[[user]]\nname = \"a\"\npassword = \"hush\"\nhush = \"hush\"\n",
            "[[user]]\nname = 1\npassword = \"hush\"\n",
            "[user]\nname = \"a\"\npassword = \"hush\"\n",
        ] {
            let error = secrets(text).unwrap_err().to_string();
            assert!(error.starts_with("secrets.toml:") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn no_more_than_the_limits() {
        let users = |count| "[[user]]\nname = \"a\"\npassword = \"b\"\n".repeat(count);
        assert!(secrets(&users(Users::MOST)).is_ok());
        assert!(secrets(&users(Users::MOST + 1)).unwrap_err().to_string().contains("more than"));
        let tunnels = |count| "[[tunnel]]\nsecret = \"b\"\n".repeat(count);
        assert!(secrets(&tunnels(TunnelSecrets::MOST)).is_ok());
        assert!(secrets(&tunnels(TunnelSecrets::MOST + 1)).is_err());
    }
}
