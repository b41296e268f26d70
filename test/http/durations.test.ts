import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AggregatorRegistry, Histogram, Registry } from 'prom-client'
import { durationsOf } from '../../src/http/durations.ts'

const SPEC = { name: 'seconds', help: 'How long "it" took', bounds: [0.001, 0.5, 2] }

/** The bounds themselves, what is above all, and routes with characters that are escaped. */
const OBSERVED = [
  ['/a/:name', 'GET', 0.0005],
  ['/a/:name', 'GET', 0.001],
  ['/a/:name', 'HEAD', 0.25],
  ['/"b"\\', 'GET', 2],
  ['/a/:name', 'GET', 2.5],
  ['/"b"\\', 'GET', 0],
] as const

function both() {
  const [ours, theirs] = [new Registry(), new Registry()]
  const { name, help, bounds } = SPEC
  const labelNames = ['route', 'method']
  const histogram = new Histogram({ name, help, labelNames, buckets: [...bounds], registers: [theirs] })
  const durations = durationsOf(ours, SPEC)
  return {
    ...{ ours, theirs },
    observe() {
      for (const [route, method, seconds] of OBSERVED) {
        durations.observe(route, method, seconds)
        histogram.observe({ route, method }, seconds)
      }
    },
  }
}

/** Lines of methods of a route stand together here, which means nothing. */
const sorted = (text: string) => text.split('\n').sort()

test('durationsOf() tells what a histogram of prom-client would', async () => {
  const { ours, theirs, observe } = both()
  assert.equal(await ours.metrics(), await theirs.metrics())
  observe()
  const told = await ours.metrics()
  assert.deepEqual(sorted(told), sorted(await theirs.metrics()))
  assert.match(told, /^seconds_bucket\{le="0.001",route="\/a\/:name",method="GET"\} 2$/m)
  assert.match(told, /^seconds_sum\{route="\/a\/:name",method="GET"\} 2.5015$/m)
  observe()
  assert.deepEqual(sorted(await ours.metrics()), sorted(await theirs.metrics()))
  ours.resetMetrics()
  theirs.resetMetrics()
  assert.equal(await ours.metrics(), await theirs.metrics())
})

test('durationsOf() is summed over workers as a histogram of prom-client is', async () => {
  const { ours, theirs, observe } = both()
  observe()
  const [one, other] = await Promise.all(
    [ours, theirs].map(async (registry) => {
      const sent = JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as object[]
      return sorted(await AggregatorRegistry.aggregate([sent, sent]).metrics())
    }),
  )
  assert.deepEqual(one, other)
  assert.ok(one?.includes('seconds_count{route="/a/:name",method="GET"} 6'), one?.join('\n'))
})

test('durationsOf() is the same one for all mounts of a host', async () => {
  const registry = new Registry()
  durationsOf(registry, SPEC).observe('/a', 'GET', 1)
  durationsOf(registry, SPEC).observe('/a', 'GET', 1)
  assert.match(await registry.metrics(), /^seconds_count\{route="\/a",method="GET"\} 2$/m)
})
