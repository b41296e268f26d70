import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import { Registry } from 'prom-client'
import type { ObjectStore } from '../../src/host.ts'
import { createHealth } from '../../src/server/health.ts'

interface Spec {
  stat?: ObjectStore['stat']
  isStopping?: () => boolean
}

async function start(t: TestContext, { stat = async () => undefined, isStopping = () => false }: Spec = {}) {
  const app = new Koa()
  app.use(createHealth({ storage: { stat }, metrics: new Registry(), isStopping }))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return [response.status, await response.text()]
  }
}

test('createHealth() answers 200 while everything is well', async (t) => {
  const get = await start(t)
  for (const path of ['/live', '/ready', '/healthz']) assert.deepEqual(await get(path), [200, 'ok\n'])
  assert.deepEqual(await get('/metrics'), [200, '\n'])
  assert.deepEqual(await get('/ready', 'HEAD'), [200, ''])
})

test('createHealth() leaves other paths and methods to others', async (t) => {
  const get = await start(t)
  assert.equal((await get('/'))[0], 404)
  assert.equal((await get('/ready/'))[0], 404)
  assert.equal((await get('/ready', 'POST'))[0], 404)
})

test('createHealth() is not ready but live when storage fails', async (t) => {
  const get = await start(t, { stat: async () => Promise.reject(new Error('disk is gone')) })
  assert.deepEqual(await get('/ready'), [503, 'storage does not answer\n'])
  assert.deepEqual(await get('/live'), [200, 'ok\n'])
})

test('createHealth() is not ready while stopping', async (t) => {
  const get = await start(t, { isStopping: () => true })
  assert.deepEqual(await get('/ready'), [503, 'stopping\n'])
})

test('createHealth() gives storage 2 s, and asks storage that hangs only once', async (t) => {
  let asked = 0
  const stat = () => {
    asked++
    return new Promise<undefined>(() => undefined)
  }
  const get = await start(t, { stat })
  const began = performance.now()
  const answers = await Promise.all([get('/ready'), get('/ready')])
  assert.deepEqual(answers, Array(2).fill([503, 'storage does not answer\n']))
  assert.equal(asked, 1)
  assert.ok(performance.now() - began < 4_000)
})
