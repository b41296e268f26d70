import { createHash, hash } from 'node:crypto'
import { type Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'

/** What came of a download. */
export interface Download {
  /** 0: nothing came. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As far as it came; empty when it was not to be kept. */
  readonly body: Buffer
  readonly sha256: string
  /** Whether the answer came to its end, as HTTP tells it. */
  readonly whole: boolean
  /** Milliseconds to the first and to the last byte. */
  readonly firstByte: number
  readonly lastByte: number
}

export interface DownloadSpec {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Leaves after so many bytes of the body; 0: as soon as the request is sent. */
  readonly leaveAfter?: number
  /** Whether the bytes are kept; default yes. */
  readonly keep?: boolean
  /** Connections of HTTP/1.1; default: one of its own. */
  readonly agent?: Agent
}

/** Asks over HTTP/1.1 in the clear, or HTTP/2 for https; never fails. */
export function download(url: string, spec: DownloadSpec = {}): Promise<Download> {
  return url.startsWith('https:') ? overHttp2(url, spec) : overHttp1(url, spec)
}

/** SHA-256, in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}

function overHttp1(url: string, spec: DownloadSpec): Promise<Download> {
  const { method = 'GET', headers = {}, leaveAfter, agent = false } = spec
  const result = collector(spec)
  return new Promise((resolve) => {
    let answered = false
    const request = httpRequest(url, { method, headers, agent }, (response: IncomingMessage) => {
      const { statusCode = 0, headers: got } = response
      answered = true
      response.on('data', (chunk: Buffer) => {
        if (result.add(chunk)) request.destroy()
      })
      response.on('error', () => {})
      response.on('close', () => resolve(result.end(statusCode, got, response.complete)))
    })
    request.on('error', () => {})
    request.on('close', () => {
      if (!answered) resolve(result.end(0, {}, false))
    })
    request.end(() => {
      if (leaveAfter === 0) request.destroy()
    })
  })
}

function overHttp2(url: string, spec: DownloadSpec): Promise<Download> {
  const { method = 'GET', headers = {}, leaveAfter } = spec
  const { origin, pathname } = new URL(url)
  const result = collector(spec)
  return new Promise((resolve) => {
    const session = connect(origin, { rejectUnauthorized: false })
    const stream = session.request({ ':method': method, ':path': pathname, ...headers })
    let head: IncomingHttpHeaders = {}
    let status = 0
    let ended = false
    session.on('error', () => {})
    stream.on('response', ({ ':status': code, ...got }) => {
      status = Number(code)
      head = got as IncomingHttpHeaders
    })
    stream.on('data', (chunk: Buffer) => {
      if (result.add(chunk)) stream.close(0x8)
    })
    stream.on('end', () => {
      ended = true
    })
    stream.on('error', () => {})
    stream.on('close', () => {
      session.destroy()
      resolve(result.end(status, head, ended && stream.rstCode === 0))
    })
    if (leaveAfter === 0) stream.close(0x8)
  })
}

function collector({ leaveAfter = Number.POSITIVE_INFINITY, keep = true }: DownloadSpec) {
  const begun = performance.now()
  const chunks: Buffer[] = []
  const sum = createHash('sha256')
  let size = 0
  let firstByte = Number.POSITIVE_INFINITY
  return {
    /** Whether it was enough. */
    add(chunk: Buffer): boolean {
      if (size === 0) firstByte = performance.now() - begun
      if (keep) chunks.push(chunk)
      sum.update(chunk)
      size += chunk.length
      return size >= leaveAfter
    },
    end: (status: number, headers: IncomingHttpHeaders, whole: boolean): Download => ({
      status,
      headers,
      body: Buffer.concat(chunks),
      sha256: sum.digest('hex'),
      whole,
      firstByte,
      lastByte: performance.now() - begun,
    }),
  }
}
