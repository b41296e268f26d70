/** Uploads in flight. */
const PARALLEL = 8

/** A PUT that is done once. */
export interface Upload {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer<ArrayBuffer>
}

/** Accepted uploads a second, a few at a time. */
export async function upload(uploads: readonly Upload[], parallel = PARALLEL): Promise<number> {
  const waiting = uploads.values()
  const started = performance.now()
  await Promise.all(Array.from({ length: parallel }, () => sendAll(waiting)))
  return uploads.length / ((performance.now() - started) / 1000)
}

async function sendAll(waiting: Iterable<Upload>): Promise<void> {
  for (const { url, headers = {}, body } of waiting) {
    const response = await fetch(url, { method: 'PUT', headers, body })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  }
}
