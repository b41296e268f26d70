import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { redisServer } from '../hosts/redis-server.ts'
import { s3Server } from '../hosts/s3-server.ts'
import { crateFile } from '../support/crate-file.ts'
import { until } from '../support/until.ts'
import { type Client, clientOf } from './client.ts'
import { startVerdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { signUp } from './npm.ts'

const CROWD = 20

/** 20 versions of one crate at once, and 20 times one version of another: none lost, one accepted. */
export async function crowdLosesNothing(client: Client): Promise<void> {
  const versions = Array.from({ length: CROWD }, (_, n) => `1.0.${n}`)
  assert.equal(await client.publish(crateFile('crowded', '0.1.0')), 200)
  const statuses = await Promise.all(versions.map((version) => client.publish(crateFile('crowded', version))))
  assert.deepEqual(statuses, Array(CROWD).fill(200))
  const found = (await client.versions('crowded')) ?? new Map<string, string>()
  assert.deepEqual([...found.keys()].sort(), ['0.1.0', ...versions].sort())
  for (const [version, cksum] of found) assert.equal(await client.download('crowded', version), cksum)
  const same = await Promise.all(
    versions.map((by) => client.publish(crateFile('fought-over').add(`fought-over-1.0.0/${by}`, by))),
  )
  assert.deepEqual(same.filter((status) => status === 200).length, 1, same.join())
  const [cksum] = (await client.versions('fought-over'))?.values() ?? []
  assert.equal(await client.download('fought-over', '1.0.0'), cksum)
}

/** On the host's disk. */
export async function crowdOnDisk(t: TestContext, installed: Installation): Promise<void> {
  const verdaccio = await startVerdaccio(t, installed)
  await crowdLosesNothing(clientOf(verdaccio.url, await signUp(verdaccio.origin, 'zoe')))
  const objects = await readdir(join(verdaccio.folder, 'storage', '.cargo', 'crates'), { recursive: true })
  assert.ok(objects.length > CROWD)
}

/**
 * In the host's bucket, its settings being those of `verdaccio-aws-s3-storage`; with a Redis; and with
 * both away.
 */
export async function crowdInBucket(t: TestContext, installed: Installation): Promise<void> {
  const server = await s3Server()
  t.after(() => server.close())
  const redis = await redisServer()
  t.after(() => redis.close())
  const { accessKeyId, secretAccessKey } = server.credentials
  const verdaccio = await startVerdaccio(t, installed, {
    config: {
      ...standIns(installed),
      store: {
        'aws-s3-storage': {
          bucket: server.bucket,
          keyPrefix: 'npm',
          region: 'us-east-1',
          endpoint: server.url,
          s3ForcePathStyle: true,
          accessKeyId: 'BUCKET_ID',
          secretAccessKey: 'BUCKET_SECRET',
        },
      },
    },
    cargo: { redis: 'CACHE_URL' },
    env: { BUCKET_ID: accessKeyId, BUCKET_SECRET: secretAccessKey, CACHE_URL: redis.url },
  })
  const zoe = await verdaccio.addUser('zoe')
  const client = clientOf(verdaccio.url, zoe.token)
  await crowdLosesNothing(client)
  assert.doesNotMatch(await redis.command('DBSIZE'), /^:0\r/)
  await redis.stop()
  assert.equal(await client.publish(crateFile('uncached')), 200)
  server.kill('SIGKILL')
  assert.equal(await client.publish(crateFile('unlucky')), 503)
  assert.equal((await fetch(`${verdaccio.origin}/-/ping`)).status, 200)
  assert.ok(!/uncaught exception|"level":60/.test(verdaccio.log()), verdaccio.log())
}

/**
 * Where version 9 finds store plugins. Those that are published are for version 6: `verdaccio-aws-s3-storage` 10.4
 * reads `store` off its own settings, which are no longer merged with the host's, and the others have no `init()`.
 */
function standIns({ version }: Installation): object {
  return version.startsWith('9') ? { plugins: join(import.meta.dirname, 'plugins') } : {}
}

/** In a store plugin of which the plugin knows nothing, with users of another auth plugin. */
export async function crowdInOtherStore(t: TestContext, installed: Installation): Promise<void> {
  const name = installed.version.startsWith('9') ? 'elsewhere' : 'memory'
  const verdaccio = await startVerdaccio(t, installed, {
    config: { ...standIns(installed), store: { [name]: { limit: 1000 } }, auth: { 'auth-memory': {} } },
  })
  const warning = `store plugin ${name}, which cannot keep two writers apart`
  // The host answers before the last of what it logs is here.
  await until(() => verdaccio.log().includes(warning), true, 30_000)
  const client = clientOf(verdaccio.url, await signUp(verdaccio.origin, 'zoe'))
  await crowdLosesNothing(client)
  assert.equal(await clientOf(verdaccio.url).publish(crateFile('nobodys')), 401)
}
