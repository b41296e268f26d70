import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer as readAll } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '../../src/host.ts'
import { fsStorage } from '../../src/hosts/fs.ts'
import type { Order } from './fs-worker.ts'

const WRITERS = 64
const ROUNDS = 10
const KILLS = 8
const FLOOD_BYTES = 512 * 1024

test('put() with ifAbsent has one winner among the writers of two processes', async (context) => {
  const root = folder(context)
  const processes = await Promise.all([startProcess(context, root), startProcess(context, root)])
  for (let round = 0; round < ROUNDS; round++) {
    const order: Order = { kind: 'race', key: `race/${round}`, writers: WRITERS }
    const wins = await Promise.all(processes.map((process) => tell(process, order)))
    assert.deepEqual(wins.map(Number).sort(), [0, 1], `round ${round}`)
  }
})

test('a log of numbered objects loses no entry of two processes', async (context) => {
  const root = folder(context)
  const processes = await Promise.all([startProcess(context, root), startProcess(context, root)])
  const order: Order = { kind: 'append', prefix: 'log/', writers: WRITERS }
  const written = await Promise.all(processes.map((process) => tell(process, order)))
  const store = fsStorage(root)
  const entries = await contents(store, 'log/')
  const numbers = Array.from(
    { length: 2 * WRITERS },
    (_, index) => `log/${String(index + 1).padStart(8, '0')}`,
  )
  assert.deepEqual([...entries.keys()], numbers)
  assert.deepEqual([...entries.values()].map(String).sort(), written.flat().map(String).sort())
})

test('a process killed while it writes leaves no half object and loses none it answered for', async (context) => {
  const root = folder(context)
  const store = fsStorage(root)
  let answered = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = await startProcess(context, root)
    const durable: string[] = []
    writer.on('message', (key) => durable.push(String(key)))
    writer.send({ kind: 'flood', prefix: 'flood/', size: FLOOD_BYTES } satisfies Order)
    await once(writer, 'message')
    await sleep(Math.random() * 60)
    writer.kill('SIGKILL')
    await once(writer, 'close')
    const found = await contents(store, 'flood/')
    for (const [key, bytes] of found) {
      assert.equal(bytes.length, FLOOD_BYTES, key)
      assert.ok(bytes.equals(Buffer.alloc(FLOOD_BYTES, bytes[0])), key)
    }
    assert.deepEqual(
      durable.filter((key) => !found.has(key)),
      [],
    )
    answered += durable.length
    for (const key of found.keys()) await store.delete(key)
  }
  assert.ok(answered >= KILLS)
})

async function startProcess(context: TestContext, root: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fs-worker.ts'), [root], { execArgv: [] })
  context.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

async function tell(child: ChildProcess, order: Order): Promise<unknown> {
  const answer = once(child, 'message')
  child.send(order)
  const [result] = await answer
  return result
}

async function contents(store: ObjectStore, prefix: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for await (const { key } of store.list(prefix)) {
    const object = await store.get(key)
    if (object !== undefined) found.set(key, await readAll(object.body))
  }
  return found
}

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'fs-storage-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
