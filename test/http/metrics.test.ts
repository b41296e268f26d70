import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { crateFile } from '../support/crate-file.ts'

test('requests, publishes and downloads are counted by route, never by name', async (t) => {
  const app = await startApp(t)
  const crate = crateFile()
  await app.publish(crate)
  await app.publish(crate)
  const path = '/api/v1/crates/foo/1.0.0/download'
  await app.request(path)
  await app.request(path, { headers: { range: 'bytes=0-9' } })
  await app.request(path, { method: 'HEAD' })
  await app.request('/nothing/of/foo')
  await app.request('/nothing')
  const text = await app.metrics.metrics()
  const size = crate.bytes().length
  const route = '/api/v1/crates/:crate/:version/download'
  const lines = [
    'cargo_requests_total{route="/api/v1/crates/new",method="PUT",status="200"} 1',
    'cargo_requests_total{route="/api/v1/crates/new",method="PUT",status="409"} 1',
    `cargo_requests_total{route="${route}",method="GET",status="200"} 1`,
    `cargo_requests_total{route="${route}",method="GET",status="206"} 1`,
    `cargo_requests_total{route="${route}",method="HEAD",status="200"} 1`,
    'cargo_requests_total{route="none",method="GET",status="404"} 1',
    'cargo_publishes_total 1',
    'cargo_downloads_total 1',
    `cargo_crate_bytes_total{direction="in"} ${size}`,
    `cargo_crate_bytes_total{direction="out"} ${size + 10}`,
  ]
  for (const line of lines) assert.ok(text.includes(`${line}\n`), `no ${line} in\n${text}`)
  assert.ok(!text.includes('foo'))
})

test('a method that is no word of HTTP makes no label', async (t) => {
  const app = await startApp(t)
  await app.request('/nothing', { method: 'PROPFIND' })
  const text = await app.metrics.metrics()
  assert.ok(text.includes('cargo_requests_total{route="none",method="other",status="404"} 1\n'), text)
})
