import { hasAt } from '../../protocol/text.ts'

/** What cargo, and what a proxy adds to it, stays far below; with a piece of the network's size it would not be whole. */
const MAX_LENGTH = 4096
/**
 * Lines of longer requests, and more of them, are not remembered. Each keeps the request that it first came with in
 * memory: a client that changes one line after the other would fill it, connection by connection.
 */
const MAX_REMEMBERED_LENGTH = 1024
const MAX_REMEMBERED_LINES = 24

/**
 * The only spelling that is read here: one whole GET or HEAD, nothing before or behind it. What is left out, such as
 * bare line feeds, folded lines or bytes beyond ASCII, is where readers of HTTP disagree (RFC 9112, section 11.2).
 */
const PLAIN =
  /^(?:GET|HEAD) \/[!-~]* HTTP\/1\.1\r\n(?:[A-Za-z][A-Za-z0-9-]*: (?:[!-~]|[!-~][ -~]*[!-~])\r\n)+\r\n$/

/** What changes where a request ends, or what becomes of its connection. */
const MEANS_MORE: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'te',
  'expect',
  'upgrade',
  'http2-settings',
  'proxy-connection',
  'keep-alive',
])

/** A header line, its line break included. */
interface Line {
  readonly text: string
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/** A request without a body, after which its connection waits for the next one. */
export interface PlainRequest {
  readonly method: 'GET' | 'HEAD'
  readonly url: string
  /** By their names in lower case; each was there once. */
  readonly headers: Readonly<Record<string, string>>
  /** What is remembered for the next one; none of a long request. */
  readonly lines: readonly Line[]
}

type Fields = Pick<PlainRequest, 'headers' | 'lines'>

/**
 * The request that `bytes` are, if they are exactly one and spelled in the plainest way; `undefined` for all else, which
 * is no error but the business of a whole HTTP parser. What the header lines mean is taken from the request `before` on
 * the connection as far as they are the same, which saves half of the work (`node test/bench/front.ts`).
 */
export function readPlainRequest(bytes: Buffer, before?: PlainRequest): PlainRequest | undefined {
  if (bytes.length > MAX_LENGTH) return undefined
  const text = bytes.toString('latin1')
  if (!PLAIN.test(text)) return undefined
  const lineEnd = text.indexOf('\r\n')
  const lines = readLines(text, lineEnd + 2, before?.lines ?? [])
  const fields = lines && (changed(lines, before) ?? fieldsOf(lines))
  if (fields?.headers['host'] === undefined) return undefined
  const method = text.startsWith('GET ') ? 'GET' : 'HEAD'
  const url = text.slice(method.length + 1, lineEnd - ' HTTP/1.1'.length)
  const isShort = text.length <= MAX_REMEMBERED_LENGTH && fields.lines.length <= MAX_REMEMBERED_LINES
  return { method, url, headers: fields.headers, lines: isShort ? fields.lines : [] }
}

function readLines(text: string, start: number, before: readonly Line[]): readonly Line[] | undefined {
  const lines: Line[] = []
  const end = text.length - 2
  for (let at = start; at < end; ) {
    const known = before[lines.length]
    const line = known !== undefined && hasAt(text, known.text, at) ? known : readLine(text, at)
    if (line === undefined) return undefined
    lines.push(line)
    at += line.text.length
  }
  return lines
}

/** `undefined` for one that means more than itself. */
function readLine(text: string, at: number): Line | undefined {
  const colon = text.indexOf(':', at)
  const end = text.indexOf('\r\n', colon)
  const name = text.slice(at, colon).toLowerCase()
  const value = text.slice(colon + 2, end)
  if (MEANS_MORE.has(name)) return undefined
  if (name === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined
  return { text: text.slice(at, end + 2), name, value }
}

/** The fields before, with the values that are others now; `undefined` where the names are not the same ones. */
function changed(lines: readonly Line[], before: Fields | undefined): Fields | undefined {
  if (before?.lines.length !== lines.length) return undefined
  let headers: Record<string, string> | undefined
  for (const [i, line] of lines.entries()) {
    const known = before.lines[i]
    if (known === line) continue
    if (known?.name !== line.name) return undefined
    headers ??= { ...before.headers }
    headers[line.name] = line.value
  }
  return headers === undefined ? before : { headers, lines }
}

/** `undefined` when a name is there twice, or is one that every object has. */
function fieldsOf(lines: readonly Line[]): Fields | undefined {
  const headers: Record<string, string> = {}
  for (const { name, value } of lines) {
    if (name in headers) return undefined
    headers[name] = value
  }
  return { headers, lines }
}
