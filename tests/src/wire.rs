//! One HTTP/1.1 exchange on a stream: it sends the request's bytes and reads the whole response.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use flate2::read::GzDecoder;

/// A response, decoded from its transfer coding and from gzip.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the stream can carry another exchange.
    pub(crate) keep: bool,
}

/// There is no response, or only a part of one.
pub(crate) struct Broken {
    pub(crate) error: io::Error,
    /// Whether a part of the answer had been read.
    pub(crate) answered: bool,
}

/// Sends the request's bytes and reads the answer. The method decides whether the answer can have a body.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8], method: &str) -> Result<Answer, Broken> {
    // A server that refuses a large body answers and closes the connection before it has read everything. The answer still
    // counts.
    let written = stream.write_all(request).and_then(|()| stream.flush());
    let mut received = Vec::new();
    let result = read(stream, &mut received, method);
    let answered = !received.is_empty();
    let mut answer = result.map_err(|error| match &written {
        Err(first) if !answered => Broken { error: io::Error::new(first.kind(), first.to_string()), answered },
        _ => Broken { error, answered },
    })?;
    answer.keep &= written.is_ok();
    if field(&answer.headers, "Content-Encoding") == Some("gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(answer.body.as_slice()).read_to_end(&mut plain).map_err(|error| Broken { error, answered })?;
        answer.body = plain;
    }
    Ok(answer)
}

fn field<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn read(stream: &mut TcpStream, received: &mut Vec<u8>, method: &str) -> io::Result<Answer> {
    let mut start = 0;
    let (status, headers, body_start) = loop {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut fields);
        match head.parse(&received[start..]).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))? {
            httparse::Status::Complete(length) => {
                let status = head.code.unwrap_or_default();
                if (100..200).contains(&status) {
                    start += length;
                    continue;
                }
                let headers = head
                    .headers
                    .iter()
                    .map(|field| (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned()))
                    .collect::<Vec<_>>();
                break (status, headers, start + length);
            }
            httparse::Status::Partial => more(stream, received)?,
        }
    };
    let keep = field(&headers, "Connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
    let answer = |body, keep| Answer { status, headers: headers.clone(), body, keep };
    if method == "HEAD" || status == 204 || status == 304 {
        return Ok(answer(Vec::new(), keep));
    }
    if field(&headers, "Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        let body = chunks(stream, received, body_start)?;
        return Ok(answer(body, keep));
    }
    let Some(length) = field(&headers, "Content-Length") else {
        while more(stream, received).is_ok() {}
        return Ok(answer(received[body_start..].to_vec(), false));
    };
    let length = length.parse::<usize>().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    while received.len() < body_start + length {
        more(stream, received)?;
    }
    Ok(answer(received[body_start..body_start + length].to_vec(), keep))
}

fn chunks(stream: &mut TcpStream, received: &mut Vec<u8>, mut at: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (line, size) = loop {
            match httparse::parse_chunk_size(&received[at..]) {
                Ok(httparse::Status::Complete((line, size))) => {
                    break (
                        line,
                        usize::try_from(size).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?,
                    );
                }
                Ok(httparse::Status::Partial) => more(stream, received)?,
                Err(_) => return Err(io::Error::new(ErrorKind::InvalidData, "not a chunk size")),
            }
        };
        while received.len() < at + line + size + 2 {
            more(stream, received)?;
        }
        body.extend_from_slice(&received[at + line..at + line + size]);
        at += line + size + 2;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn more(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 * 1024];
    match stream.read(&mut part)? {
        0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
        length => {
            received.extend_from_slice(&part[..length]);
            Ok(())
        }
    }
}
