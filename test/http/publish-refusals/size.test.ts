import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const crate = crateFile()
const metadata = JSON.stringify(crate.metadata())
const size = crate.bytes().length

testRefusals('too much', [
  {
    what: 'a crate file over the limit',
    publish: crate,
    options: { limits: { crate: size - 1 } },
    status: 413,
    detail: `crate file has \`${size}\` bytes: at most ${size - 1} are allowed`,
  },
  {
    what: 'a bomb',
    publish: crateFile().add('foo-1.0.0/zeros', Buffer.alloc(1024 * 1024)),
    options: { limits: { unpacked: '512KiB' } },
    status: 413,
    detail: 'tarball unpacks to over 524288 bytes',
  },
  {
    what: 'metadata over the limit',
    publish: crate,
    options: { limits: { metadata: 100 } },
    status: 413,
    detail: `metadata has \`${metadata.length}\` bytes: at most 100 are allowed`,
  },
  {
    what: 'metadata that is said to have 4 GiB',
    publish: Buffer.concat([Buffer.alloc(4, 0xff), Buffer.from('{}')]),
    status: 413,
    detail: 'metadata has `4294967295` bytes: at most 1048576 are allowed',
  },
  {
    what: 'a crate file that is said to have 4 GiB',
    publish: Buffer.concat([
      encodePublishBody(crate.metadata(), crate.bytes()).subarray(0, 4 + metadata.length),
      Buffer.alloc(4, 0xff),
    ]),
    status: 413,
    detail: 'crate file has `4294967295` bytes: at most 10485760 are allowed',
  },
  {
    what: 'too many files',
    publish: crateFile().add('foo-1.0.0/a').add('foo-1.0.0/b'),
    options: { limits: { entries: 3 } },
    status: 413,
    detail: 'tarball has over 3 entries',
  },
])
