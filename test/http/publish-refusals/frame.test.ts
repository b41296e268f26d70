import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import { crateFile } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const crate = crateFile()
const whole = Buffer.from(encodePublishBody(crate.metadata(), crate.bytes()))
const metadataEnd = 4 + whole.readUInt32LE(0)

/** The body with one of its two lengths replaced. */
function withLength(offset: number, length: number): Buffer {
  const changed = Buffer.from(whole)
  changed.writeUInt32LE(length, offset)
  return changed
}

testRefusals('a bad frame', [
  {
    what: 'shorter than the first length',
    publish: whole.subarray(0, 3),
    detail: 'invalid publish body: the metadata length has 3 of its 4 bytes',
  },
  {
    what: 'empty metadata',
    publish: withLength(0, 0),
    detail: 'metadata has `0` bytes: must not be empty',
  },
  {
    what: 'shorter than its metadata',
    publish: whole.subarray(0, 14),
    detail: `invalid publish body: the metadata has 10 of its ${metadataEnd - 4} bytes`,
  },
  {
    what: 'no second length',
    publish: whole.subarray(0, metadataEnd),
    detail: 'invalid publish body: the crate length has 0 of its 4 bytes',
  },
  {
    what: 'an empty crate file',
    publish: withLength(metadataEnd, 0).subarray(0, metadataEnd + 4),
    detail: 'crate file has `0` bytes: must not be empty',
  },
  {
    what: 'a cut crate file',
    publish: whole.subarray(0, -1),
    detail: `invalid publish body: its parts add up to ${whole.length} bytes, \`content-length\` is \`${whole.length - 1}\``,
  },
  {
    what: 'bytes after the crate file',
    publish: Buffer.concat([whole, Buffer.of(0)]),
    detail: `invalid publish body: its parts add up to ${whole.length} bytes, \`content-length\` is \`${whole.length + 1}\``,
  },
  {
    what: 'a bare crate file',
    publish: Buffer.concat([Buffer.of(0x1f, 0x8b, 8, 0), Buffer.alloc(96)]),
    detail: 'invalid publish body: the metadata has 96 of its 559903 bytes',
  },
])
