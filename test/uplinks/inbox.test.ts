import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInbox } from '../../src/uplinks/inbox.ts'

const PIECE = Buffer.alloc(40 * 1024)

/** An inbox, and what was said to its sender and by its reader. */
function newInbox() {
  const said: string[] = []
  const inbox = createInbox({ pause: () => said.push('pause'), resume: () => said.push('resume') })
  return { inbox, said, read: () => inbox.read(() => said.push('left')) }
}

test('createInbox() gives its reader what was put before and after it began to read, then the end', async () => {
  const { inbox, said, read } = newInbox()
  inbox.put(Buffer.from('1'))
  const reader = read()
  assert.equal(String((await reader.next()).value), '1')
  const next = reader.next()
  inbox.put(Buffer.from('2'))
  assert.equal(String((await next).value), '2')
  assert.equal(inbox.isEmpty, true)
  inbox.put(Buffer.from('3'))
  assert.equal(inbox.isEmpty, false)
  inbox.end()
  assert.equal(String((await reader.next()).value), '3')
  assert.deepEqual(said, [])
  assert.equal((await reader.next()).done, true)
  assert.deepEqual(said, ['left'])
})

test('createInbox() fails where its sender failed, after what came before', async () => {
  const { inbox, said, read } = newInbox()
  const reader = read()
  const next = reader.next()
  inbox.put(Buffer.from('1'))
  inbox.end(new Error('cut'))
  assert.equal(String((await next).value), '1')
  await assert.rejects(reader.next(), /^Error: cut$/)
  assert.deepEqual(said, ['left'])
})

test('createInbox() pauses its sender when much waits, and lets it go on when it does not', async () => {
  const { inbox, said, read } = newInbox()
  inbox.put(PIECE)
  assert.deepEqual(said, [])
  inbox.put(PIECE)
  assert.deepEqual(said, ['pause'])
  const reader = read()
  await reader.next()
  assert.deepEqual(said, ['pause', 'resume'])
  await reader.next()
  await reader.return(undefined)
  assert.deepEqual(said, ['pause', 'resume', 'left'])
})
