/** A request whose every byte is the test's own. */
export interface RawRequest {
  readonly method: string
  /** What stands in the request line, or in `:path`. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** An answer as it came, but for the date and ids of the request. */
export interface RawAnswer {
  readonly status: number
  /** `name: value` lines in the order they came in, names in lower case. */
  readonly head: string
  /** One character for each byte. */
  readonly body: string
}

/** Sends requests, and gives back the answers in the order of the requests. */
export type Ask = (requests: readonly RawRequest[]) => Promise<readonly RawAnswer[]>

/** Differs with each request, whoever asks for what. */
export const OF_THE_REQUEST: ReadonlySet<string> = new Set(['date', 'x-request-id'])

interface Parsed {
  readonly answer: RawAnswer
  /** Where the next answer begins. */
  readonly end: number
}

/** The first complete answer in `text`, to a request of this method; `undefined` when more has to come. */
export function parseAnswer(text: string, method: string, isEnded: boolean): Parsed | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const start = headEnd + 4
  if (status === 100) return parseAnswer(text.slice(start), method, isEnded)
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const head = fields
    .filter(([name]) => !OF_THE_REQUEST.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  const has = new Map(fields)
  const found = (body: string, end: number): Parsed => ({ answer: { status, head, body }, end })
  if (method === 'HEAD' || status === 204 || status === 304) return found('', start)
  const length = has.get('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return text.length < end ? undefined : found(text.slice(start, end), end)
  }
  if (has.get('transfer-encoding') === 'chunked') {
    const body = parseChunks(text, start)
    return body && found(body.body, body.end)
  }
  return isEnded ? found(text.slice(start), text.length) : undefined
}

function parseChunks(
  text: string,
  start: number,
): { readonly body: string; readonly end: number } | undefined {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (text.length < end + 2) return undefined
    if (size === 0) return { body, end: end + 2 }
    body += text.slice(lineEnd + 2, end)
    at = end + 2
  }
}
