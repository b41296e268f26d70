// What the two index libraries that cargo's tools are built on make of a sparse index: one line for each question.
use std::{env, error::Error, path::PathBuf};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, cache, names @ ..] = &arguments[..] else {
        return Err("usage: index-clients URL FOLDER CRATE…".into());
    };
    for name in names {
        for _ in 0..2 {
            crates_index(url, &format!("{cache}/crates-index"), name)?;
            tame_index(url, &format!("{cache}/tame-index"), name)?;
        }
    }
    Ok(())
}

fn crates_index(url: &str, cache: &str, name: &str) -> Outcome {
    let index = crates_index::SparseIndex::with_path(PathBuf::from(cache), url)?;
    let request = index
        .make_cache_request(name)?
        .version(ureq::http::Version::HTTP_11)
        .body(())?;
    let (status, response) = send(request)?;
    let known = index.parse_cache_response(name, response, true)?;
    let versions = known.iter().flat_map(|known| known.versions());
    let told: Vec<String> = versions
        .map(|version| {
            format!(
                "{}{}",
                version.version(),
                if version.is_yanked() { "!" } else { "" }
            )
        })
        .collect();
    println!("crates-index {status} {name} {}", told.join(" "));
    Ok(())
}

fn tame_index(url: &str, cache: &str, name: &str) -> Outcome {
    use tame_index::{index::FileLock, IndexLocation, IndexUrl, SparseIndex};
    let location = IndexLocation::new(IndexUrl::NonCratesIo(url.into()));
    let index = SparseIndex::new(location.with_root(Some(cache.into())))?;
    let lock = FileLock::unlocked();
    let crate_name = name.try_into()?;
    let wanted = index.make_remote_request(crate_name, None, &lock)?;
    let mut request = ureq::http::Request::builder()
        .method(wanted.method)
        .uri(wanted.uri);
    for (header, value) in wanted.headers {
        request = request.header(header, value);
    }
    let (status, response) = send(request.body(())?)?;
    let entry = index.parse_remote_response(crate_name, &response, true, &lock)?;
    let known = entry.map(|entry| entry.deserialize()).transpose()?;
    let versions = known.iter().flat_map(|known| &known.versions);
    let told: Vec<String> = versions
        .map(|version| {
            format!(
                "{}{}",
                version.version,
                if version.is_yanked() { "!" } else { "" }
            )
        })
        .collect();
    println!("tame-index {status} {name} {}", told.join(" "));
    Ok(())
}

fn send(
    request: ureq::http::Request<()>,
) -> Result<(u16, ureq::http::Response<Vec<u8>>), Box<dyn Error>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let (parts, mut body) = agent.run(request)?.into_parts();
    let status = parts.status.as_u16();
    Ok((
        status,
        ureq::http::Response::from_parts(parts, body.read_to_vec()?),
    ))
}
