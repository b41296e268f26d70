import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import type { OptionsInput } from '../../src/options.ts'
import { type App, startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { eventually } from '../support/until.ts'
import { SECRET, startReceiver } from '../support/webhook-receiver.ts'

type Hook = NonNullable<OptionsInput['webhooks']>[number]

const RULES = { '**': { publish: ['$authenticated'], unpublish: ['$authenticated'] } }

async function appWith(t: TestContext, hooks: readonly Partial<Hook>[]): Promise<App> {
  const webhooks = hooks.map((hook) => ({ url: '', secret: SECRET, ...hook }))
  return startApp(t, { options: { packages: RULES, webhooks } })
}

test('every change of a crate is told to the webhook and to the host alike', async (t) => {
  const receiver = await startReceiver(t)
  const app = await appWith(t, [{ url: receiver.url }])
  const crates = '/api/v1/crates'
  assert.equal((await app.publish(crateFile('foo', '1.0.0'))).status, 200)
  const changes = [
    ['DELETE', '/foo/1.0.0/yank', undefined],
    ['PUT', '/foo/1.0.0/unyank', undefined],
    ['PUT', '/foo/owners', { users: ['bob'] }],
    ['DELETE', '/foo/1.0.0', undefined],
  ] as const
  for (const [method, path, body] of changes) {
    const { status } = await app.request(crates + path, { method, as: 'ann', ...(body && { body }) })
    assert.equal(status, 200, path)
  }
  await receiver.until(5)
  const byTime = receiver.messages.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  assert.deepEqual(
    byTime.map(({ event }) => event.type),
    ['crate.publish', 'crate.yank', 'crate.unyank', 'crate.owners', 'crate.remove'],
  )
  assert.deepEqual(
    byTime.map(({ event }) => event.data),
    JSON.parse(JSON.stringify(app.events)),
  )
  assert.ok(byTime.every(({ isSigned }) => isSigned))
  assert.ok(await eventually(async () => (await app.stored('webhooks/pending/')).length === 0))
  const metrics = await app.metrics.metrics()
  assert.match(metrics, /cargo_webhook_deliveries_total\{outcome="delivered"\} 5/)
  assert.ok(!metrics.includes(SECRET))
})

test('a delivery is in storage until it arrives', async (t) => {
  const hanging = await startReceiver(t, () => {})
  const storage = fsStorage(await temporaryFolder(t))
  const webhooks = [{ url: hanging.url, secret: SECRET, timeout: '500ms' }]
  const app = await startApp(t, { options: { packages: RULES, webhooks }, host: { storage } })
  assert.equal((await app.publish(crateFile('foo', '1.0.0'))).status, 200)
  assert.ok(await eventually(async () => (await app.stored('webhooks/pending/')).length === 1, 1_000))
})

test('a receiver that hangs slows no publish', { timeout: 120_000 }, async (t) => {
  const hanging = await startReceiver(t, () => {})
  const hooks = [{ url: hanging.url, timeout: '2s' }]
  const [without, withHook] = [await appWith(t, []), await appWith(t, hooks)]
  const [plain, hooked]: [number[], number[]] = [[], []]
  for (let n = 0; n < 60; n++) {
    for (const [app, times] of [
      [without, plain],
      [withHook, hooked],
    ] as const) {
      const before = performance.now()
      assert.equal((await app.publish(crateFile('foo', `1.0.${n}`))).status, 200)
      times.push(performance.now() - before)
    }
  }
  const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0
  t.diagnostic(
    `median publish: ${median(plain).toFixed(2)} ms, with a hanging receiver ${median(hooked).toFixed(2)} ms`,
  )
  // Where the receiver was waited for, it would be seconds.
  assert.ok(median(hooked) < 2 * median(plain) + 20)
  assert.ok(hanging.messages.length > 0)
})
