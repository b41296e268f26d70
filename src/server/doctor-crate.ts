import { gzipSync } from 'node:zlib'
import { encodePublishBody } from '../protocol/publish-body.ts'

const BLOCK = 512

/** A crate that can be published. */
export interface TinyCrate {
  readonly file: Buffer
  /** What cargo would send. */
  readonly body: Buffer
}

/** A crate of this name with an empty library, which the strictest rules accept. */
export function tinyCrate(name: string, version: string): TinyCrate {
  const description = 'Published by `verdaccio-cargo doctor`, to be removed'
  const manifest = `[package]
name = "${name}"
version = "${version}"
edition = "2021"
description = "${description}"
license = "MIT"
`
  const root = `${name}-${version}`
  const tar = [
    tarFile(`${root}/Cargo.toml`, manifest),
    tarFile(`${root}/src/lib.rs`, ''),
    Buffer.alloc(2 * BLOCK),
  ]
  const file = gzipSync(Buffer.concat(tar))
  const metadata = { name, vers: version, deps: [], features: {}, authors: [], description, license: 'MIT' }
  return { file, body: encodePublishBody(metadata, file) }
}

/** A POSIX header, and the content in whole blocks. */
function tarFile(path: string, content: string): Buffer {
  const header = Buffer.alloc(BLOCK)
  const put = (at: number, text: string) => header.write(text, at, 'latin1')
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  put(0, path)
  put(100, octal(0o644, 7))
  put(108, octal(0, 7))
  put(116, octal(0, 7))
  put(124, octal(Buffer.byteLength(content), 11))
  put(136, octal(0, 11))
  // The checksum counts itself as spaces.
  put(148, ' '.repeat(8))
  put(156, '0')
  put(257, 'ustar\x0000')
  put(
    148,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
  )
  const padding = Buffer.alloc((BLOCK - (Buffer.byteLength(content) % BLOCK)) % BLOCK)
  return Buffer.concat([header, Buffer.from(content), padding])
}
