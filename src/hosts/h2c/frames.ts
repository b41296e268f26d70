/** What a client of HTTP/2 begins with (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

const FRAME_HEAD = 9
/** The largest frame that a peer takes that has not said more. */
const MAX_PAYLOAD = 16_384
/** Node takes no longer SETTINGS frame: 32 settings of 6 bytes. */
const MAX_SETTINGS_PAYLOAD = 32 * 6
/** The request that came with the upgrade is stream 1 (RFC 7540, 3.2). */
const UPGRADED_STREAM = 1

const SETTINGS = 0x4
const GOAWAY = 0x7
const HEADERS = 0x1
const CONTINUATION = 0x9
const ACK = 0x1
const END_STREAM = 0x1
const END_HEADERS = 0x4
const PROTOCOL_ERROR = 1

/** How a client opened its connection. */
export interface Opening {
  /** The payload of its first SETTINGS frame. */
  readonly settings: Buffer
  /** What it sent after that. */
  readonly rest: Buffer
}

/** A client's preface and first SETTINGS frame; `partial` when more has to come, `invalid` when they are something else. */
export function parseOpening(bytes: Buffer): Opening | 'partial' | 'invalid' {
  const known = bytes.subarray(0, PREFACE.length)
  if (!known.equals(PREFACE.subarray(0, known.length))) return 'invalid'
  const start = PREFACE.length + FRAME_HEAD
  if (bytes.length < start) return 'partial'
  const length = bytes.readUIntBE(PREFACE.length, 3)
  const [type, flags = 0] = bytes.subarray(PREFACE.length + 3)
  const stream = bytes.readUInt32BE(PREFACE.length + 5) & 0x7fff_ffff
  const isSettings = type === SETTINGS && (flags & ACK) === 0 && stream === 0
  if (!isSettings || length > MAX_SETTINGS_PAYLOAD || length % 6 !== 0) return 'invalid'
  if (bytes.length < start + length) return 'partial'
  return { settings: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) }
}

/**
 * What a server that knows no upgrade is to read instead of `opening`: the settings of the upgrade come before the
 * client's in one frame, since each frame would be acknowledged, and then the request as a stream that has ended.
 */
export function encodeOpening(
  { settings, rest }: Opening,
  upgradeSettings: Buffer,
  fields: readonly Field[],
): Buffer {
  const both = frame(SETTINGS, 0, 0, Buffer.concat([upgradeSettings, settings]))
  return Buffer.concat([PREFACE, both, encodeRequest(fields), rest])
}

/** What a client is told that did not go on as it had offered: no settings, and the end. */
export function encodeRefusal(): Buffer {
  const reason = Buffer.alloc(8)
  reason.writeUInt32BE(PROTOCOL_ERROR, 4)
  return Buffer.concat([frame(SETTINGS, 0, 0, Buffer.alloc(0)), frame(GOAWAY, 0, 0, reason)])
}

/** The name, in lower case, and the value of a header. */
export type Field = readonly [name: string, value: string]

/** A HEADERS frame, and as many CONTINUATION frames as it takes. */
function encodeRequest(fields: readonly Field[]): Buffer {
  const block = Buffer.concat(
    fields.flatMap(([name, value]) => [LITERAL, encodeText(name), encodeText(value)]),
  )
  const frames: Buffer[] = []
  for (let at = 0; at === 0 || at < block.length; at += MAX_PAYLOAD) {
    const isLast = at + MAX_PAYLOAD >= block.length
    const flags = (at === 0 ? END_STREAM : 0) | (isLast ? END_HEADERS : 0)
    const type = at === 0 ? HEADERS : CONTINUATION
    frames.push(frame(type, flags, UPGRADED_STREAM, block.subarray(at, at + MAX_PAYLOAD)))
  }
  return Buffer.concat(frames)
}

/** A header that enters no table, under a name that is written out (RFC 7541, 6.2.2). */
const LITERAL = Buffer.of(0x00)

/** RFC 7541, 5.1 and 5.2, without Huffman coding. */
function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length: number[] = []
  let left = bytes.length
  if (left < 127) length.push(left)
  else {
    length.push(127)
    for (left -= 127; left >= 128; left >>>= 7) length.push((left & 127) | 128)
    length.push(left)
  }
  return Buffer.concat([Buffer.from(length), bytes])
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
