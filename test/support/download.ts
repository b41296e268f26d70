import { hash } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'

/** What came of a download. */
export interface Download {
  /** 0: nothing came. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As far as it came. */
  readonly body: Buffer
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
}

/** Asks over a connection of its own, HTTP/1.1 in the clear, or HTTP/2 for https; never fails. */
export function download(url: string, spec: DownloadSpec = {}): Promise<Download> {
  return url.startsWith('https:') ? overHttp2(url, spec) : overHttp1(url, spec)
}

/** SHA-256, in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}

function overHttp1(
  url: string,
  { method = 'GET', headers = {}, leaveAfter }: DownloadSpec,
): Promise<Download> {
  const result = collector()
  return new Promise((resolve) => {
    let answered = false
    const request = httpRequest(url, { method, headers, agent: false }, (response: IncomingMessage) => {
      const { statusCode = 0, headers: got } = response
      answered = true
      response.on('data', (chunk: Buffer) => {
        if (result.add(chunk) >= (leaveAfter ?? Number.POSITIVE_INFINITY)) request.destroy()
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

function overHttp2(
  url: string,
  { method = 'GET', headers = {}, leaveAfter }: DownloadSpec,
): Promise<Download> {
  const { origin, pathname } = new URL(url)
  const result = collector()
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
      if (result.add(chunk) >= (leaveAfter ?? Number.POSITIVE_INFINITY)) stream.close(0x8)
    })
    stream.on('end', () => {
      ended = true
    })
    stream.on('error', () => {})
    stream.on('close', () => {
      session.destroy()
      const length = head['content-length']
      const isShort = method !== 'HEAD' && length !== undefined && Number(length) !== result.size()
      resolve(result.end(status, head, ended && stream.rstCode === 0 && !isShort))
    })
    if (leaveAfter === 0) stream.close(0x8)
  })
}

function collector() {
  const begun = performance.now()
  const chunks: Buffer[] = []
  let size = 0
  let firstByte = Number.POSITIVE_INFINITY
  return {
    size: () => size,
    add(chunk: Buffer): number {
      if (size === 0) firstByte = performance.now() - begun
      chunks.push(chunk)
      size += chunk.length
      return size
    },
    end: (status: number, headers: IncomingHttpHeaders, whole: boolean): Download => ({
      status,
      headers,
      body: Buffer.concat(chunks),
      whole,
      firstByte,
      lastByte: performance.now() - begun,
    }),
  }
}
