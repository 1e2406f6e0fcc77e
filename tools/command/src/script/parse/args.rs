// SPDX-License-Identifier: GPL-2.0

//! The arguments of a call.

use super::{
    super::{
        constants::{Constants, SIGNAL, si_code},
        error::{SyntaxError, nearest},
        scope::Kind,
        syntax::Arg,
        tokens::{Token, What, is_constant, is_name},
        values::{NsRef, PidRef},
        verbs::{Op, Param, ParamKind, Verb},
    },
    Parsed, Parser,
};

/// Whether a word looks like a number.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a word looks like a task, its process group, or a number.
fn is_pid(word: &str) -> bool {
    is_number(word) || is_name(word.strip_prefix('-').unwrap_or(word))
}

impl Parser<'_> {
    /// What a verb takes, to the end of the line.
    pub(super) fn args(&mut self, verb: &'static Verb, at: &Token) -> Parsed<Vec<Arg>> {
        let mut args = Vec::new();
        for param in verb.params.iter().filter(|param| param.key.is_none()) {
            let arg = if self.fits(param, &args) {
                self.arg(param, &args)?
            } else if param.is_optional {
                Arg::Absent
            } else {
                return Err(self.missing(verb, param, at));
            };
            args.push(arg);
        }
        // Those with a key stand behind the others in the table, too.
        args.resize(verb.params.len(), Arg::Absent);
        while let Some(token) = self.peek() {
            let key = token.word().filter(|_| self.is_before('='));
            let found = verb
                .params
                .iter()
                .position(|param| param.key.is_some() && param.key == key);
            let Some(index) = found else {
                return Err(self.superfluous(verb, &args, token, key));
            };
            if args[index] != Arg::Absent {
                return Err(Self::error(token, "this is given twice"));
            }
            self.next += 2;
            args[index] = self.arg(&verb.params[index], &[])?;
        }
        self.check(verb, &args, at)?;
        Ok(args)
    }

    /// Whether the next token can be meant for a parameter; `before` are the arguments before it.
    fn fits(&self, param: &Param, before: &[Arg]) -> bool {
        let Some(token) = self.peek() else {
            return false;
        };
        if matches!(param.kind, ParamKind::Assigned) {
            return token.is('=');
        }
        if self.is_before('=') && !self.is_assigned(param) {
            return false;
        }
        let Some(word) = token.word() else {
            return matches!(param.kind, ParamKind::Text | ParamKind::PrctlValue);
        };
        if word == "in" {
            return matches!(param.kind, ParamKind::InNs);
        }
        match param.kind {
            ParamKind::Task
            | ParamKind::Sender
            | ParamKind::Parent
            | ParamKind::Pidfd
            | ParamKind::TaskOrPidfd => is_name(word),
            ParamKind::Ns | ParamKind::NsOrPidfd => {
                is_name(word.split('.').next().unwrap_or_default())
            }
            ParamKind::Pid | ParamKind::Pids => is_pid(word),
            ParamKind::WaitWho => before.last() != Some(&Arg::Bits(0)) && is_pid(word),
            ParamKind::Constant(constants) => {
                constants.parse(word).is_some() || !param.is_optional && !is_number(word)
            }
            ParamKind::Number | ParamKind::Numbers | ParamKind::SiCode => {
                is_number(word) || is_constant(word)
            }
            ParamKind::Signal | ParamKind::Signals => is_number(word) || is_constant(word),
            ParamKind::Text | ParamKind::PrctlValue => true,
            ParamKind::Assigned | ParamKind::InNs => false,
        }
    }

    /// Whether `=` may follow an argument for this parameter.
    fn is_assigned(&self, param: &Param) -> bool {
        matches!(param.kind, ParamKind::Constant(constants) if constants.prefix == "kernel.")
    }

    fn arg(&mut self, param: &Param, before: &[Arg]) -> Parsed<Arg> {
        let token = match param.kind {
            ParamKind::Assigned | ParamKind::InNs => {
                self.next += 1;
                self.need(param.label.trim_start_matches(['=', 'i', 'n', ' ']))?
            }
            _ => self.need(param.label)?,
        };
        let word = token.word();
        match param.kind {
            ParamKind::Sender | ParamKind::Parent if word == Some("outside") => Ok(Arg::Outside),
            ParamKind::Sender if word == Some("kernel") => Ok(Arg::Kernel),
            ParamKind::Task | ParamKind::Sender | ParamKind::Parent => {
                self.named(token, &[Kind::Task]).map(Arg::Task)
            }
            ParamKind::Pidfd => self.named(token, &[Kind::Pidfd]).map(Arg::Pidfd),
            ParamKind::TaskOrPidfd | ParamKind::NsOrPidfd
                if self.scope.kind(word.unwrap_or_default()) == Some(Kind::Pidfd) =>
            {
                self.named(token, &[Kind::Pidfd]).map(Arg::Pidfd)
            }
            ParamKind::TaskOrPidfd => self.named(token, &[Kind::Task]).map(Arg::Task),
            ParamKind::Ns | ParamKind::NsOrPidfd | ParamKind::InNs => self.ns(token).map(Arg::Ns),
            ParamKind::WaitWho if before.last() == Some(&Arg::Bits(3)) => {
                self.named(token, &[Kind::Pidfd]).map(Arg::Pidfd)
            }
            ParamKind::Pid | ParamKind::WaitWho => self.pid(token).map(Arg::Pid),
            ParamKind::Pids => self.pids(token).map(Arg::Pids),
            ParamKind::Constant(constants) => self.bits(constants, token).map(Arg::Bits),
            ParamKind::Signal => Self::signal(token).map(Arg::Signal),
            ParamKind::Signals => self.signals(token).map(Arg::Signals),
            ParamKind::Number | ParamKind::Assigned => Self::number(token).map(Arg::Number),
            ParamKind::Numbers => self.numbers(token).map(Arg::Numbers),
            ParamKind::SiCode => si_code(word.unwrap_or_default())
                .map(|code| Arg::Number(code.into()))
                .ok_or_else(|| Self::error(token, "this is no si_code")),
            ParamKind::Text => Self::text(token).map(Arg::Text),
            ParamKind::PrctlValue => match before.last() {
                Some(Arg::Bits(15)) => Self::text(token).map(Arg::Text),
                Some(Arg::Bits(1)) => Self::signal(token).map(Arg::Signal),
                _ => Self::number(token).map(Arg::Number),
            },
        }
    }

    /// A namespace: its name, that of a task that lives there, or where its children go.
    pub(super) fn ns(&self, token: &Token) -> Parsed<NsRef> {
        let word = token.word().unwrap_or_default();
        let Some((name, which)) = word.split_once('.') else {
            let name = self.named(token, &[Kind::Ns, Kind::Task])?;
            return Ok(NsRef {
                name,
                of_children: false,
            });
        };
        let task = Token {
            what: What::Word(name.to_owned()),
            at: token.at,
            len: name.chars().count(),
        };
        let name = self.named(&task, &[Kind::Task])?;
        match which {
            "children" => Ok(NsRef {
                name,
                of_children: true,
            }),
            _ => Err(Self::error(token, format!("a task has no .{which}")).hint(format!(
                "{name} is the namespace that it lives in, {name}.children where its children go"
            ))),
        }
    }

    fn pid(&self, token: &Token) -> Parsed<PidRef> {
        let word = token.word().unwrap_or_default();
        if is_number(word) {
            let number = word.parse().map(PidRef::Number);
            return number.map_err(|_| Self::error(token, "this is no number of 32 bits"));
        }
        let is_group = word.starts_with('-');
        let skipped = usize::from(is_group);
        let name = Token {
            what: What::Word(word[skipped..].to_owned()),
            at: token.at + skipped,
            len: token.len - skipped,
        };
        let name = self.named(&name, &[Kind::Task])?;
        Ok(PidRef::Of { name, is_group })
    }

    fn pids(&mut self, first: &Token) -> Parsed<Vec<PidRef>> {
        let mut pids = vec![self.pid(first)?];
        while let Some(token) = self.peek() {
            let is_one = |word: &str| word != "in" && is_pid(word);
            if !token.word().is_some_and(is_one) {
                break;
            }
            self.next += 1;
            pids.push(self.pid(token)?);
        }
        Ok(pids)
    }

    /// A constant, or flags with `|` or blanks between them.
    pub(super) fn bits(&mut self, constants: &Constants, first: &Token) -> Parsed<u64> {
        let one = |token: &Token| {
            let word = token.word().unwrap_or_default();
            constants
                .parse(word)
                .ok_or_else(|| Self::no_constant(constants, token, word))
        };
        let mut bits = one(first)?;
        if !constants.is_flags {
            return Ok(bits);
        }
        loop {
            if self.take_sign('|') {
                let token = self.need(constants.what)?;
                bits |= one(token)?;
                continue;
            }
            let next = self.peek_word().filter(|_| !self.is_before('='));
            match next.and_then(|word| constants.parse(word)) {
                Some(more) => bits |= more,
                None => return Ok(bits),
            }
            self.next += 1;
        }
    }

    fn no_constant(constants: &Constants, token: &Token, word: &str) -> SyntaxError {
        let error = Self::error(token, format!("there is no {} {word}", constants.what));
        // With the prefix or without it, as it was written.
        let short = word.strip_prefix(constants.prefix).unwrap_or(word);
        let prefix = &word[..word.len() - short.len()];
        let names = constants.names.iter().map(|&(name, _)| name);
        match nearest(short, names) {
            Some(near) => error.hint(format!("did you mean {prefix}{near}?")),
            None => error,
        }
    }

    /// A signal by name or number; numbers that are no signal have their errno.
    pub(super) fn signal(token: &Token) -> Parsed<i32> {
        let word = token.word().unwrap_or_default();
        let named = SIGNAL.value(word).map(|signal| signal as i32);
        let found = named.or_else(|| word.parse().ok());
        found.ok_or_else(|| Self::no_constant(&SIGNAL, token, word))
    }

    /// Signals with commas, `ALL` or `NONE`.
    pub(super) fn signals(&mut self, first: &Token) -> Parsed<u64> {
        match first.word() {
            Some("ALL") => return Ok(u64::MAX),
            Some("NONE") => return Ok(0),
            _ => (),
        }
        let bit = |token: &Token| {
            let signal = Self::signal(token)?;
            match signal {
                1..=64 => Ok(1u64 << (signal - 1)),
                _ => Err(Self::error(token, "signals have numbers from 1 to 64")),
            }
        };
        let mut set = bit(first)?;
        while self.take_sign(',') {
            let token = self.need("a signal")?;
            set |= bit(token)?;
        }
        Ok(set)
    }

    pub(super) fn number(token: &Token) -> Parsed<i64> {
        let number = token.word().and_then(|word| word.parse().ok());
        number.ok_or_else(|| Self::error(token, "a number is expected here"))
    }

    /// A number of 32 bits.
    pub(super) fn number32(token: &Token) -> Parsed<i32> {
        let number = i32::try_from(Self::number(token)?);
        number.map_err(|_| Self::error(token, "this is no number of 32 bits"))
    }

    fn numbers(&mut self, first: &Token) -> Parsed<Vec<i32>> {
        let mut numbers = vec![Self::number32(first)?];
        while self.take_sign(',') {
            let token = self.need("a number")?;
            numbers.push(Self::number32(token)?);
        }
        Ok(numbers)
    }

    pub(super) fn text(token: &Token) -> Parsed<String> {
        match &token.what {
            What::Word(text) | What::Quoted(text) => Ok(text.clone()),
            What::Sign(_) => Err(Self::error(token, "a word is expected here")),
        }
    }

    /// A required argument is not there, or something else is in its place.
    fn missing(&self, verb: &Verb, param: &Param, at: &Token) -> SyntaxError {
        let usage = format!("usage: {}", verb.usage());
        match self.peek() {
            Some(token) => {
                Self::error(token, format!("{} is expected here", param.label)).hint(usage)
            }
            None if at.at + at.len < self.end() => {
                SyntaxError::new(self.end(), 1, format!("{} is missing", param.label)).hint(usage)
            }
            None => Self::error(at, format!("{} is missing", param.label)).hint(usage),
        }
    }

    /// Nothing takes this token.
    fn superfluous(
        &self,
        verb: &Verb,
        args: &[Arg],
        token: &Token,
        key: Option<&str>,
    ) -> SyntaxError {
        let usage = format!("usage: {}", verb.usage());
        if let Some(key) = key {
            let known = verb.params.iter().filter_map(|param| param.key);
            let error = Self::error(token, format!("{} has no {key}=", verb.name)).hint(usage);
            return error.nearest(key, known);
        }
        // A number that was not given could be what is meant.
        let mut absent = verb.params.iter().zip(args);
        let number = absent.find_map(|(param, arg)| {
            let is_number = param.key.is_none() && matches!(param.kind, ParamKind::Number);
            (is_number && *arg == Arg::Absent).then_some(param.label)
        });
        if let Some(label) = number {
            return Self::error(token, format!("{label} is a number")).hint(usage);
        }
        let sets: Vec<_> = verb
            .params
            .iter()
            .filter_map(|param| match param.kind {
                ParamKind::Constant(constants) => Some(constants),
                _ => None,
            })
            .collect();
        let is_known = |word: &str| sets.iter().any(|set| set.value(word).is_some());
        let keyed = verb.params.iter().zip(args).find_map(|(param, arg)| {
            let key = param.key.filter(|_| *arg != Arg::Absent);
            key
        });
        match (token.word(), keyed) {
            (Some(word), Some(key)) if is_known(word) => {
                Self::error(token, format!("{word} must stand before {key}=")).hint(usage)
            }
            // Of several sets the last one is where a stray constant belongs.
            (Some(word), _) if is_constant(word) && !sets.is_empty() => {
                let names = sets.iter().flat_map(|set| set.names);
                let names = names.map(|&(name, _)| name);
                let what = sets.last().map_or("constant", |set| set.what);
                Self::error(token, format!("there is no {what} {word}"))
                    .hint(usage)
                    .nearest(word, names)
            }
            _ => Self::error(token, format!("{} takes no more than that", verb.name)).hint(usage),
        }
    }

    /// What the kinds of the arguments cannot say.
    fn check(&self, verb: &Verb, args: &[Arg], at: &Token) -> Parsed<()> {
        let error = |message: &str| Err(Self::error(at, message));
        match (verb.op, args) {
            (Op::Kill, [Arg::Outside | Arg::Kernel, Arg::Pid(pid), _])
                if !matches!(
                    pid,
                    PidRef::Of {
                        is_group: false,
                        ..
                    }
                ) =>
            {
                error("from outside a signal goes to a task, by its name")
            }
            (Op::Waitid, [_, Arg::Bits(1..=3), Arg::Absent, _]) => {
                error("P_PID, P_PGID and P_PIDFD need to be told which")
            }
            (Op::Prctl, [_, Arg::Bits(1 | 15 | 36), Arg::Absent]) => {
                error("this option needs a value")
            }
            (Op::Prctl, [_, Arg::Bits(2 | 16 | 37), value]) if *value != Arg::Absent => {
                error("this option takes no value")
            }
            (Op::PidfdSendSignal, [_, Arg::Task(_), _, rest @ ..])
                if rest.iter().any(|arg| *arg != Arg::Absent) =>
            {
                error("only a pidfd goes with a flag or a siginfo")
            }
            (Op::Sigaction, [_, _, Arg::Absent, flags, mask])
                if (flags, mask) != (&Arg::Absent, &Arg::Absent) =>
            {
                error("flags and a mask go with one of DFL, IGN and HANDLER")
            }
            _ => Ok(()),
        }
    }
}
