//! A socket pair that carries whole messages and descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::Message;

/// The longest message. What a process listens on is part of a deed: some 2,000 listeners fit.
pub const LONGEST_BYTES: usize = 128 << 10;

/// Both ends; neither is inherited by programs that are started, unless made their standard input.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends a message, with a descriptor if one is given. Never waits: a guard that does not read has failed.
pub fn send(end: &OwnedFd, message: &Message, carried: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LONGEST_BYTES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let carried = carried.as_slice();
    if !carried.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(carried));
    }
    sendmsg(end, &[IoSlice::new(&bytes)], &mut control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a message and the descriptor that came with it. `None` once the other end is closed; of a message that
/// can't be read only the descriptor is kept from leaking.
pub fn receive(end: &OwnedFd) -> io::Result<Option<(Option<Message>, Option<OwnedFd>)>> {
    let mut bytes = vec![0; LONGEST_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(end, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let carried = control.drain().find_map(|part| match part {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    if received.bytes == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..received.bytes]).ok(), carried)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn messages_arrive_whole_and_in_order_with_what_they_carry() {
        let (ours, theirs) = pair().expect("a pair");
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let long = Message::Release { id: "x".repeat(100_000) };
        send(&ours, &Message::Connected { id: "a".into() }, Some(writer.as_fd())).expect("sent");
        send(&ours, &long, None).expect("sent");
        drop((ours, writer));
        let (message, carried) = receive(&theirs).expect("read").expect("a message");
        assert_eq!(message, Some(Message::Connected { id: "a".into() }));
        std::fs::File::from(carried.expect("a descriptor")).write_all(b"hello").expect("written");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("read");
        assert_eq!(text, "hello");
        assert_eq!(receive(&theirs).expect("read").expect("a message").0, Some(long));
        assert!(receive(&theirs).expect("read").is_none(), "the other end is closed");
    }

    #[test]
    fn what_is_too_long_and_a_closed_end_are_errors_and_nothing_waits() {
        let (ours, theirs) = pair().expect("a pair");
        let long = Message::Release { id: "x".repeat(LONGEST_BYTES) };
        assert!(send(&ours, &long, None).is_err());
        let filled = (0..100_000).find_map(|_| send(&ours, &Message::Beat, None).err()).expect("it fills up");
        assert_eq!(filled.kind(), io::ErrorKind::WouldBlock);
        drop(theirs);
        let error = send(&ours, &Message::Beat, None).expect_err("closed");
        assert!(
            matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset),
            "{error}"
        );
    }
}
