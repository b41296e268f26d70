import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Check } from './check.ts'

/**
 * Moves a damaged blob out of the way, so that it is absent from now on: where it went, or `mended` when it is gone or
 * somebody wrote it anew meanwhile.
 */
export async function quarantine(
  { storage }: Check,
  key: string,
  sha256: string,
): Promise<{ readonly key: string } | 'mended'> {
  const object = await storage.get(key)
  if (object === undefined) return 'mended'
  const target = `quarantine/${key}`
  const hash = createHash('sha256')
  async function* hashed(body: Readable): AsyncGenerator<Buffer> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      hash.update(chunk)
      yield chunk
    }
  }
  await storage.put(target, Readable.from(hashed(object.body), { objectMode: false }))
  const now = await storage.stat(key)
  const isSame = now?.size === object.size && now.modified.getTime() === object.modified.getTime()
  if (hash.digest('hex') === sha256 || !isSame) {
    await storage.delete(target)
    return 'mended'
  }
  await storage.delete(key)
  return { key: target }
}
