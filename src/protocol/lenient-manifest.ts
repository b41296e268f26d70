import { parse } from 'smol-toml'
import type { KnownDetails } from './crate-view.ts'
import { asRecord, type Fields, lineIn, linesIn, proseIn, urlIn } from './foreign-json.ts'

/** Characters; crates.io takes fewer of each. */
const MAX_DESCRIPTION = 4096
const MAX_LINE = 256
const MAX_WORDS = 20
/** As for manifests that are published: toml-rs, which cargo reads with, stops at 80 levels. */
const MAX_DEPTH = 80

/** The `[package]` of a `Cargo.toml`, whatever else is wrong with it: old crates break rules of today. */
export function packageFields(manifest: Uint8Array): Fields {
  try {
    const { package: fields, project } = parse(new TextDecoder('utf-8').decode(manifest), {
      maxDepth: MAX_DEPTH,
      integersAsBigInt: 'asNeeded',
    })
    return asRecord(fields ?? project)
  } catch {
    return {}
  }
}

/** What people read about a version, as far as its `Cargo.toml` tells; `size` is that of the `.crate` file, in bytes. */
export function manifestDetails(manifest: Uint8Array, size: number): KnownDetails {
  const fields = packageFields(manifest)
  return {
    size,
    description: proseIn(fields['description'], MAX_DESCRIPTION),
    documentation: urlIn(fields['documentation']),
    homepage: urlIn(fields['homepage']),
    repository: urlIn(fields['repository']),
    license: lineIn(fields['license'], MAX_LINE),
    license_file: lineIn(fields['license-file'], MAX_LINE),
    edition: lineIn(fields['edition'], MAX_LINE),
    keywords: linesIn(fields['keywords'], MAX_WORDS, MAX_LINE),
    categories: linesIn(fields['categories'], MAX_WORDS, MAX_LINE),
  }
}
