const BLOCK = 512
/** Magic and version as GNU tar and cargo write them. */
export const GNU_MAGIC = 'ustar  \0'
/** Magic and version as POSIX has them. */
export const POSIX_MAGIC = 'ustar\x0000'

/** The fields of a tar header, of which a test may spoil any. */
export interface TarFields {
  readonly name: string | Uint8Array
  /** One character; default `0`, a regular file. */
  readonly typeflag?: string
  /** A number of bytes, or the raw field; default: the length of the content. */
  readonly size?: number | string | Uint8Array
  readonly mode?: number
  readonly mtime?: number
  readonly linkname?: string
  readonly magic?: string
  readonly prefix?: string
  /** Default: the right one. */
  readonly checksum?: number
}

/** One entry of a tar archive: header, content and padding. */
export function tarEntry(fields: TarFields, content: string | Uint8Array = ''): Buffer {
  const body = Buffer.from(content)
  return Buffer.concat([tarHeader({ size: body.length, ...fields }), body, padding(body.length)])
}

/** A regular file as cargo writes it: names over 100 bytes in a GNU long name entry before it. */
export function tarFile(path: string, content: string | Uint8Array = ''): Buffer {
  const name = Buffer.from(path)
  const entry = tarEntry({ name: name.subarray(0, 100) }, content)
  return name.length <= 100 ? entry : Buffer.concat([gnuLongName(path), entry])
}

/** The entry that gives the following one a long name. */
export function gnuLongName(path: string | Uint8Array): Buffer {
  return tarEntry({ name: '././@LongLink', typeflag: 'L' }, Buffer.concat([Buffer.from(path), Buffer.of(0)]))
}

/** The entry that gives the following one extended attributes such as `path` and `size`. */
export function paxHeader(records: Readonly<Record<string, string>>, typeflag = 'x'): Buffer {
  const content = Object.entries(records).map(([key, value]) => paxRecord(`${key}=${value}`))
  return tarEntry({ name: 'PaxHeader', typeflag, magic: POSIX_MAGIC }, Buffer.concat(content))
}

/** The two zero blocks that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK)
}

function tarHeader(fields: TarFields): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.set(Buffer.from(fields.name).subarray(0, 100), 0)
  header.write(octal(fields.mode ?? 0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.set(sizeField(fields.size ?? 0), 124)
  header.write(octal(fields.mtime ?? 1_153_704_088, 12), 136)
  header.write(' '.repeat(8), 148)
  header.write(fields.typeflag ?? '0', 156, 'latin1')
  header.write(fields.linkname ?? '', 157)
  header.write(fields.magic ?? GNU_MAGIC, 257, 'latin1')
  header.write(fields.prefix ?? '', 345)
  const sum = fields.checksum ?? header.reduce((total, byte) => total + byte, 0)
  header.write(octal(sum, 8), 148)
  return header
}

function sizeField(size: number | string | Uint8Array): Uint8Array {
  return typeof size === 'number' ? Buffer.from(octal(size, 12)) : Buffer.from(size)
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK)
}

/** `length key=value\n`, where the length counts itself. */
function paxRecord(assignment: string): Buffer {
  const rest = Buffer.byteLength(assignment) + 2
  let length = rest + 1
  while (String(length).length + rest !== length) length += 1
  return Buffer.from(`${length} ${assignment}\n`)
}
