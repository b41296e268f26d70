/** What cargo, and what a proxy adds to it, stays far below; with a piece of the network's size it would not be whole. */
const MAX_LENGTH = 4096

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

/** A request without a body, after which its connection waits for the next one. */
export interface PlainRequest {
  readonly method: 'GET' | 'HEAD'
  readonly url: string
  /** By their names in lower case; each was there once. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The request that `bytes` are, if they are exactly one and spelled in the plainest way; `undefined` for all else, which
 * is no error but the business of a whole HTTP parser.
 */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  if (bytes.length > MAX_LENGTH) return undefined
  const text = bytes.toString('latin1')
  if (!PLAIN.test(text)) return undefined
  const lineEnd = text.indexOf('\r\n')
  const headers = readHeaders(text, lineEnd + 2)
  if (headers?.['host'] === undefined) return undefined
  const method = text.startsWith('GET ') ? 'GET' : 'HEAD'
  return { method, url: text.slice(method.length + 1, lineEnd - ' HTTP/1.1'.length), headers }
}

function readHeaders(text: string, start: number): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {}
  const end = text.length - 2
  for (let at = start; at < end; ) {
    const colon = text.indexOf(':', at)
    const lineEnd = text.indexOf('\r\n', colon)
    const name = text.slice(at, colon).toLowerCase()
    const value = text.slice(colon + 2, lineEnd)
    // Also for `constructor` and what else every object has.
    if (name in headers || MEANS_MORE.has(name)) return undefined
    if (name === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined
    headers[name] = value
    at = lineEnd + 2
  }
  return headers
}
