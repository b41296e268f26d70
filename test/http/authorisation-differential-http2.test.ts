import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Http2Way, startBundledWorld } from './differential/bundled-world.ts'
import { divergences, shown } from './differential/judge.ts'
import { askAll, casesOf } from './differential/matrix.ts'
import { differences } from './differential/same.ts'
import { COMMON_SPELLINGS } from './differential/spellings.ts'
import { ABSENT, ADMIN, ASKERS, type Asker, HIDDEN, OTHER, OWNER } from './differential/subjects.ts'

interface Way {
  readonly title: string
  readonly way: Http2Way
  readonly methods: readonly string[]
  readonly askers: readonly Asker[]
}

const STRANGERS = ASKERS.filter(({ name }) => [OTHER, 'nobody'].includes(name))
const WAYS: readonly Way[] = [
  { title: 'HTTP/2', way: 'tls', methods: ['GET', 'DELETE'], askers: ASKERS },
  // A connection for each request takes its time: fewer of them.
  {
    title: 'an upgrade to HTTP/2',
    way: 'h2c',
    methods: ['GET'],
    askers: ASKERS.filter(({ name }) => ![ADMIN, 'reader'].includes(name)),
  },
]

for (const { title, way, methods, askers } of WAYS) {
  test(`over ${title} no spelling or header gets more than the plain request either`, async (t) => {
    const world = await startBundledWorld(t, way)
    const before = await world.digest()
    const spec = { spellings: COMMON_SPELLINGS, methods }
    const asked = await askAll(world, [
      ...casesOf(world, { ...spec, subjects: [HIDDEN], askers }),
      ...casesOf(world, { ...spec, subjects: [ABSENT], askers: STRANGERS }),
    ])
    assert.deepEqual(divergences(world, asked), [])
    const read = asked.filter(
      ({ asker, answer }) => asker.name === OWNER && shown(world, answer) !== undefined,
    )
    assert.ok(read.length > 10, `${read.length} were read by the owner`)
    const byStrangers = asked.filter(({ asker }) => STRANGERS.includes(asker))
    assert.deepEqual(differences(byStrangers, HIDDEN, ABSENT), [])
    assert.equal(await world.digest(), before)
    if (way === 'h2c')
      assert.ok(world.upgrades() > asked.length / 3, `${world.upgrades()} of ${asked.length}`)
  })
}
