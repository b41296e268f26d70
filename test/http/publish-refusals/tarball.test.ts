import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const crate = crateFile()

/** A publish whose crate file is these bytes. */
function withBytes(bytes: Uint8Array): Buffer {
  return Buffer.from(encodePublishBody(crate.metadata(), bytes))
}

testRefusals('a bad tarball', [
  {
    what: 'a path outside the crate',
    publish: crateFile().add('bar-1.0.0/lib.rs'),
    detail: 'invalid path found: `bar-1.0.0/lib.rs`',
  },
  {
    what: 'a path that climbs',
    publish: crateFile().add('foo-1.0.0/../../etc/passwd'),
    detail: 'invalid path found: `foo-1.0.0/../../etc/passwd`',
  },
  {
    what: "cargo's own mark",
    publish: crateFile().add('foo-1.0.0/.cargo-ok'),
    detail: 'reserved path found: `foo-1.0.0/.cargo-ok`',
  },
  {
    what: 'a path twice',
    publish: crateFile().add('foo-1.0.0/SRC/lib.rs'),
    detail: 'path occurs twice in tarball: `foo-1.0.0/SRC/lib.rs`',
  },
  {
    what: 'a link',
    publish: crateFile().entry({ name: 'foo-1.0.0/x', typeflag: '2', linkname: '/etc/passwd' }),
    detail: 'unexpected symbolic link in tarball: `foo-1.0.0/x`: only files and directories may be in it',
  },
  {
    what: 'no gzip',
    publish: withBytes(Buffer.from('no gzip')),
    detail: 'tarball is malformed: not gzip data',
  },
  {
    what: 'a cut gzip',
    publish: withBytes(crate.bytes().subarray(0, -4)),
    detail: 'tarball is malformed: bad gzip data',
  },
  {
    what: 'garbage after the gzip',
    publish: withBytes(Buffer.concat([crate.bytes(), Buffer.from('garbage')])),
    detail: 'tarball is malformed: data after the end of the gzip stream',
  },
  {
    what: 'no manifest',
    publish: crateFile().withoutManifest(),
    detail: 'tarball has no `foo-1.0.0/Cargo.toml`',
  },
  {
    what: 'a manifest that is no TOML',
    publish: crateFile().manifest('= ='),
    detail: 'invalid `Cargo.toml`: Invalid TOML document: unexpected end of key (line 1, column 1)',
  },
])
