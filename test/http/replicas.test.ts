import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { redisCache } from '../../src/hosts/redis-cache.ts'
import { redisServer } from '../hosts/redis-server.ts'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'
import { startUplink } from '../support/uplink.ts'
import { indexOf, uplinkOptions } from './upstream-app.ts'

/** Replicas on one storage, each with a connection of its own to one Redis. */
async function replicas(t: TestContext, count: number) {
  const redis = await redisServer()
  t.after(() => redis.close())
  const uplink = await startUplink(t, {
    crates: ['foo0', 'foo1', 'foo2'].map((name) => crateFile(name)),
    latencyMs: 20,
  })
  const options = { prefetch: 0, uplinks: { up: uplinkOptions(uplink, { maxage: '1m' }) } }
  const storage = memoryStorage()
  const apps = []
  for (let n = 0; n < count; n++) {
    const cache = redisCache(redis.url)
    t.after(() => cache.close())
    apps.push(await startApp(t, { host: { storage, cache }, options }))
  }
  return { redis, uplink, apps }
}

/** How often the uplink is asked when a crowd wants the same at once, all over the replicas. */
async function questionsOf(
  { uplink, apps }: Awaited<ReturnType<typeof replicas>>,
  name: string,
  status: number,
) {
  const crowd = Array.from({ length: 30 }, (_, n) => apps[n % apps.length])
  const answers = await Promise.all(crowd.map((app) => app && indexOf(app, name)))
  assert.deepEqual([...new Set(answers.map((answer) => answer?.status))], [status])
  return uplink.hits(uplink.indexPath(name))
}

test('all replicas together ask once for a cold name, and once for one that is nowhere', async (t) => {
  const group = await replicas(t, 3)
  const { redis, uplink, apps } = group
  for (const [name, status] of [
    ['foo', 200],
    ['bar', 404],
  ] as const) {
    // A Redis that answers too late is done without, and a machine may stall: one crowd of three has to be in time.
    const questions: number[] = []
    while (questions.length < 3 && questions.at(-1) !== 1)
      questions.push(await questionsOf(group, `${name}${questions.length}`, status))
    assert.equal(questions.at(-1), 1, `questions to the uplink by crowd: ${questions}`)
    assert.ok(Math.max(...questions) <= apps.length)
  }
  // A miss is no error: without Redis everybody asks for itself.
  await redis.stop()
  for (const app of apps) assert.equal((await indexOf(app, 'qux')).status, 404)
  assert.equal(uplink.hits(uplink.indexPath('qux')), apps.length)
})

test('a crate that appears upstream is served although another replica had found nothing', async (t) => {
  const { redis, uplink, apps } = await replicas(t, 2)
  const [one, other] = apps
  assert.ok(one && other)
  assert.equal((await indexOf(one, 'new')).status, 404)
  uplink.publish(crateFile('new'))
  await redis.command('FLUSHALL')
  assert.equal((await indexOf(other, 'new')).status, 200)
})
