import { Readable } from 'node:stream'
import { inspectTarball, type Tarball, type TarballRules } from '../../src/protocol/tarball.ts'
import { type CrateFile, crateFile } from './crate-file.ts'
import type { TarFields } from './tar-entry.ts'

/** What tests of `foo` 1.0.0 allow. */
export const FOO: TarballRules = { name: 'foo', version: '1.0.0', maxUnpacked: 512 * 1024 * 1024 }

/** The path of a file in `foo`, and one over 100 bytes long. */
export const X = 'foo-1.0.0/x'
export const LONG = `foo-1.0.0/${'d/'.repeat(60)}x`

/** A sound crate `foo`. */
export function good(): CrateFile {
  return crateFile('foo', '1.0.0')
}

/** A sound crate with one entry of one's own making. */
export function goodWith(name: string | Uint8Array, fields: Partial<TarFields> = {}): Buffer {
  return good()
    .entry({ ...fields, name })
    .bytes()
}

/** Inspects bytes as they would come from a socket. */
export function inspect(file: Buffer, rules: Partial<TarballRules> = {}): Promise<Tarball> {
  return inspectTarball(Readable.from(pieces(file)), { ...FOO, ...rules })
}

/** Bytes in pieces. */
export function* pieces(file: Buffer, size = 64 * 1024): Generator<Buffer> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size)
}
