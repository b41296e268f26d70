import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const CONNECTIONS = 32
/** Publishes in flight. */
const UPLOADS = 8

/** A GET that is repeated. */
export interface Target {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
}

/** A PUT that is done once. */
export interface Upload {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer<ArrayBuffer>
}

/** Answers a second, by wrk over keep-alive connections; throws when one is not what it should be. */
export async function load({ url, headers = {}, status }: Target, seconds: number): Promise<number> {
  const response = await fetch(url, { headers })
  await response.arrayBuffer()
  if (response.status !== status) throw new Error(`${url}: ${response.status}, not ${status}`)
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const args = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, ...fields, url]
  const { stdout } = await run('wrk', args)
  const [, rate] = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout) ?? []
  const isBad = status < 400 ? /Non-2xx|Socket errors/ : /Socket errors/
  if (rate === undefined || isBad.test(stdout)) throw new Error(`${url}:\n${stdout}`)
  return Number(rate)
}

/** Accepted uploads a second, a few at a time. */
export async function upload(uploads: readonly Upload[]): Promise<number> {
  const waiting = uploads.values()
  const started = performance.now()
  await Promise.all(Array.from({ length: UPLOADS }, () => sendAll(waiting)))
  return uploads.length / ((performance.now() - started) / 1000)
}

async function sendAll(waiting: Iterable<Upload>): Promise<void> {
  for (const { url, headers = {}, body } of waiting) {
    const response = await fetch(url, { method: 'PUT', headers, body })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  }
}
