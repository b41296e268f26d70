import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Fault, faultProxy } from '../hosts/s3-fault-proxy.ts'
import { s3Server } from '../hosts/s3-server.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { startServer } from '../support/server.ts'

const VERSIONS = 24
const READERS = 4
const TOKEN = 'ann-token'

/** What happens to every so many-th request to the store; most of them go through. */
const FAULTS: readonly (Fault | undefined)[] = [
  ...Array<undefined>(8).fill(undefined),
  { kind: 'lost' },
  { kind: 'answer', status: 503, code: 'SlowDown' },
  { kind: 'cut-answer', bytes: 5 },
  { kind: 'answer', status: 409, code: 'ConditionalRequestConflict' },
  ...Array<Fault>(3).fill({ kind: 'answer', status: 500, code: 'InternalError' }),
]

const s3 = await s3Server()
const proxy = await faultProxy(s3.url)
after(async () => {
  await proxy.close()
  await s3.close()
})

test('a registry on a store that fails now and then loses no version, and shows no shorter index', async (t) => {
  const { storage, environment } = s3.settings()
  const settings = { storage: { s3: { ...storage.s3, endpoint: proxy.url } } }
  const servers = [
    await startServer(t, { settings, environment }),
    await startServer(t, { settings, environment }),
  ]
  await servers[0]?.seed(crateFile('hard', '1.0.0'))
  const taken = new Set(['1.0.0'])
  let count = 0
  proxy.plan(({ method }) => {
    const fault = FAULTS[(count++ * 4) % FAULTS.length]
    // A conflict is for writes only.
    return fault?.kind === 'answer' && fault.status === 409 && method !== 'PUT' ? undefined : fault
  })

  let isOver = false
  let [shown, failed] = [0, 0]
  async function read(number: number): Promise<void> {
    const server = servers[number % servers.length]
    let seen = 0
    while (!isOver && server !== undefined) {
      const { status, text } = await server.send('/ha/rd/hard')
      if (status === 200) {
        const { length } = text.trimEnd().split('\n')
        assert.ok(length >= seen, `${length} lines after ${seen}`)
        seen = length
        shown += 1
      } else {
        assert.equal(status, 503, text)
        failed += 1
      }
    }
  }
  async function publish(): Promise<void> {
    for (let minor = 1; minor <= VERSIONS; minor++) {
      const body = publishBody(crateFile('hard', `1.${minor}.0`))
      const server = servers[minor % servers.length]
      const reply = await server?.send('/api/v1/crates/new', { method: 'PUT', token: TOKEN, body })
      if (reply?.status === 200) taken.add(`1.${minor}.0`)
      else assert.equal(reply?.status, 503, reply?.text)
    }
    isOver = true
  }
  await Promise.all([publish(), ...Array.from({ length: READERS }, (_, number) => read(number))])

  proxy.plan(() => undefined)
  const fresh = await startServer(t, { settings, environment })
  const versions = (await fresh.entries('hard')).map(({ vers }) => vers)
  assert.equal(new Set(versions).size, versions.length)
  assert.deepEqual(
    [...taken].filter((version) => !versions.includes(version)),
    [],
  )
  for (const version of versions)
    assert.equal((await fresh.send(`/api/v1/crates/hard/${version}/download`)).status, 200, version)
  assert.ok(taken.size > VERSIONS / 4 && shown > 0, `${taken.size} taken, ${shown} shown, ${failed} failed`)
  t.diagnostic(`${taken.size} of ${VERSIONS + 1} taken, ${shown} indexes shown, ${failed} were 503`)
})
