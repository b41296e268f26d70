import { redisCache } from '../../src/hosts/redis-cache.ts'

/** `node redis-client-process.ts URL`: says whether what is set is got. Which certificates are trusted, a process decides at its start. */
const [, , url = ''] = process.argv
const cache = redisCache(url)
try {
  await cache.set('a', 'kept')
  process.stdout.write(`${await cache.get('a')}\n`)
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`)
}
await cache.close()
