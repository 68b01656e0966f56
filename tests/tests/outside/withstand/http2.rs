//! A client for as much of HTTP/2 (RFC 9113) as an attacker needs: it sends any frames, also invalid ones.

use std::io::{self, Read, Write};
use std::net::TcpStream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection over which frames are sent.
pub(super) struct Http2 {
    stream: TcpStream,
}

impl Http2 {
    /// Opens a connection with prior knowledge; what the server sends first is left unread.
    pub(super) fn open(authority: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(authority)?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        let mut connection = Self { stream };
        connection.frame(SETTINGS, 0, 0, &[])?;
        Ok(connection)
    }

    /// Begins a request; without a body if `ends`.
    pub(super) fn request(
        &mut self,
        stream: u32,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        ends: bool,
    ) -> io::Result<()> {
        let mut block = Vec::new();
        let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost")];
        for (name, value) in pseudo.iter().chain(fields) {
            // A literal that is not indexed (RFC 7541 §6.2.2).
            block.push(0);
            text(&mut block, name);
            text(&mut block, value);
        }
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.frame(HEADERS, flags, stream, &block)
    }

    /// Sends a part of a body; it does not end.
    pub(super) fn data(&mut self, stream: u32, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(16_384).try_for_each(|part| self.frame(DATA, 0, stream, part))
    }

    /// Reads what the server has sent, once.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.read(into)
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame)
    }
}

/// A text without Huffman coding (RFC 7541 §5.2), its length as an integer with a prefix of seven bits (§5.1).
fn text(block: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).unwrap_or(0));
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push(u8::try_from(length % 128).unwrap_or(0) | 128);
            length /= 128;
        }
        block.push(u8::try_from(length).unwrap_or(0));
    }
    block.extend(text.bytes());
}
