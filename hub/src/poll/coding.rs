//! Content codings of an answer. A server may send one that was not asked for (RFC 9110 §12.5.3),
//! and some always do.

use std::io::Read;

use axum::http::{HeaderMap, header};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// What is asked for.
pub(super) const ACCEPTED: &str = "gzip, deflate";
/// More codings on top of each other are a mistake or an attack.
const MOST: usize = 2;

/// Decodes a body by its `Content-Encoding`, to at most `max` bytes.
///
/// # Errors
/// In words: a coding that is not known, a body that does not fit its coding, or one that is too
/// long.
pub(super) fn decode(headers: &HeaderMap, mut body: Vec<u8>, max: usize) -> Result<Vec<u8>, String> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let text = value.to_str().map_err(|_| "a content coding without a name".to_owned())?;
        codings.extend(text.split(',').map(|name| name.trim().to_ascii_lowercase()));
    }
    codings.retain(|name| !name.is_empty() && name != "identity");
    if codings.len() > MOST {
        return Err(format!("{} content codings on top of each other", codings.len()));
    }
    // The last one was applied last.
    while let Some(coding) = codings.pop() {
        body = match coding.as_str() {
            "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(&*body), "gzip", max)?,
            // The name means the format of zlib, and some servers leave its head out (RFC 9110
            // §8.4.1.2).
            "deflate" => match bounded(ZlibDecoder::new(&*body), "deflate", max) {
                Err(error) if !is_zlib(&body) => {
                    bounded(DeflateDecoder::new(&*body), "deflate", max).map_err(|_| error)?
                }
                decoded => decoded?,
            },
            other if other.len() <= 32 && other.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                return Err(format!("content coding {other}, where {ACCEPTED} was asked for"));
            }
            _ => return Err("a content coding that is not known".to_owned()),
        };
    }
    Ok(body)
}

fn bounded(from: impl Read, coding: &str, max: usize) -> Result<Vec<u8>, String> {
    let mut decoded = Vec::new();
    let most = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut decoded).map_err(|error| format!("no {coding}: {error}"))?;
    if decoded.len() > max { Err(format!("the answer is longer than {max} bytes")) } else { Ok(decoded) }
}

/// RFC 1950 §2.2: method 8, and a check of the first two bytes.
fn is_zlib(body: &[u8]) -> bool {
    body.first_chunk()
        .is_some_and(|[method, flags]| method & 15 == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const TEXT: &[u8] = br#"{"percent":7}"#;

    fn decoded(codings: &[&'static str], body: Vec<u8>, max: usize) -> Result<Vec<u8>, String> {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        decode(&headers, body, max)
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).expect("into memory");
        encoder.finish().expect("into memory")
    }

    #[test]
    fn what_servers_send_is_read() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(TEXT).expect("into memory");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(TEXT).expect("into memory");
        for (codings, body) in [
            (&[][..], TEXT.to_vec()),
            (&["identity"], TEXT.to_vec()),
            (&["gzip"], gzip(TEXT)),
            (&[" X-GZIP "], gzip(TEXT)),
            (&["gzip, gzip"], gzip(&gzip(TEXT))),
            (&["gzip", "gzip"], gzip(&gzip(TEXT))),
            (&["gzip"], [gzip(b"{\"percent\""), gzip(b":7}")].concat()),
            (&["deflate"], zlib.finish().expect("into memory")),
            (&["deflate"], raw.finish().expect("into memory")),
        ] {
            assert_eq!(decoded(codings, body, 64).as_deref(), Ok(TEXT), "{codings:?}");
        }
    }

    #[test]
    fn what_is_too_long_unknown_or_broken_is_a_failure() {
        let zeros = gzip(&vec![0; 1 << 20]);
        assert!(zeros.len() < 8_192, "a bomb is small");
        assert!(decoded(&["gzip"], zeros, 1 << 16).is_err_and(|why| why.contains("longer than 65536")));
        assert!(decoded(&["br"], TEXT.to_vec(), 64).is_err_and(|why| why.contains("br")));
        assert!(decoded(&["<script>"], TEXT.to_vec(), 64).is_err_and(|why| !why.contains("script")));
        assert!(decoded(&["gzip, gzip, gzip"], TEXT.to_vec(), 64).is_err());
        for coding in ["gzip", "deflate"] {
            assert!(decoded(&[coding], TEXT.to_vec(), 64).is_err(), "{coding}");
        }
        let cut = gzip(TEXT);
        assert!(decoded(&["gzip"], cut[..cut.len() - 4].to_vec(), 64).is_err());
    }
}
