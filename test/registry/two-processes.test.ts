import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { s3Server } from '../hosts/s3-server.ts'
import { replica } from './replica.ts'

const WRITERS = 64
const TIMEOUT_MS = 150_000

const s3 = await s3Server()
after(() => s3.close())

/** Where replicas meet: an empty place of a test's own. */
const PLACES: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  'a folder': folder,
  S3: async () => JSON.stringify(s3.options()),
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'two-processes-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

for (const [name, place] of Object.entries(PLACES)) {
  test(`${name}: 64 writers in each of 2 processes, one version: exactly one winner`, {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const shared = await place(t)
    const replicas = await Promise.all([replica(t, shared), replica(t, shared)])
    const versions = Array.from({ length: WRITERS }, () => '1.0.0')
    const outcomes = (await Promise.all(replicas.map((one) => one.publish('raced', versions)))).flat()
    assert.equal(outcomes.length, 2 * WRITERS)
    assert.equal(outcomes.filter(({ status }) => status === 200).length, 1)
    for (const { status, text } of outcomes) {
      if (status === 200) continue
      assert.equal(status, 409)
      assert.equal(text, '{"errors":[{"detail":"crate version `raced@1.0.0` already exists"}]}')
    }
    await sleep(1100)
    const [here, there] = await Promise.all(replicas.map((one) => one.index('raced')))
    assert.equal(here?.length, 1)
    assert.deepEqual(here, there)
  })

  test(`${name}: 64 versions from 2 processes at once: 64 lines on both`, {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const shared = await place(t)
    const replicas = await Promise.all([replica(t, shared), replica(t, shared)])
    const half = (first: number) => Array.from({ length: WRITERS / 2 }, (_, i) => `1.${first}.${i}`)
    const outcomes = (await Promise.all(replicas.map((one, i) => one.publish('many', half(i))))).flat()
    assert.deepEqual(
      outcomes.filter(({ status }) => status !== 200),
      [],
    )
    await sleep(1100)
    const wanted = [...half(0), ...half(1)].sort()
    for (const one of replicas) {
      assert.deepEqual((await one.index('many')).map(({ vers }) => vers).sort(), wanted)
    }
  })

  test(`${name}: kill -9 in the middle of publishes loses nothing that was acknowledged`, {
    timeout: TIMEOUT_MS,
  }, async (t) => {
    const shared = await place(t)
    for (let round = 0; round < 5; round++) {
      const crate = `killed${round}`
      const victim = await replica(t, shared)
      const versions = Array.from({ length: 24 }, (_, i) => `1.0.${i}`)
      let answers = 0
      const outcomes = await victim.publish(crate, versions, () => {
        answers += 1
        if (answers === 2 + 4 * round) victim.process.kill('SIGKILL')
      })
      const acknowledged = outcomes.filter(({ status }) => status === 200).map(({ version }) => version)
      assert.ok(acknowledged.length >= 1)
      const survivor = await replica(t, shared)
      const index = await survivor.index(crate)
      const listed = new Set(index.map(({ vers }) => vers))
      assert.deepEqual(
        acknowledged.filter((version) => !listed.has(version)),
        [],
      )
      for (const { vers, cksum } of index) {
        const response = await fetch(`${survivor.url}/api/v1/crates/${crate}/${vers}/download`)
        const { hash } = await import('node:crypto')
        assert.equal(hash('sha256', Buffer.from(await response.arrayBuffer())), cksum)
      }
      survivor.process.kill('SIGKILL')
    }
  })
}
