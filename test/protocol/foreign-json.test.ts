import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asRecord,
  lineIn,
  linesIn,
  numberIn,
  parseRecord,
  proseIn,
  timeIn,
  urlIn,
} from '../../src/protocol/foreign-json.ts'

const NO_TEXT: readonly unknown[] = [undefined, null, 7, true, {}, [], ['a'], '']

test('lineIn() takes one line that is not too long', () => {
  assert.equal(lineIn('a b', 3), 'a b')
  for (const value of [...NO_TEXT, 'abcd', 'a\nb', 'a\0', '\uD800']) assert.equal(lineIn(value, 3), undefined)
})

test('proseIn() takes several lines and cuts them', () => {
  assert.equal(proseIn('a\nb', 3), 'a\nb')
  assert.equal(proseIn('abcdef', 3), 'abc')
  assert.equal(proseIn('ab😀', 3), 'ab\uFFFD')
  for (const value of [...NO_TEXT, 'a\0b', '\uD800']) assert.equal(proseIn(value, 3), undefined)
})

test('urlIn() takes http and https only', () => {
  for (const url of ['https://a.example/b', 'http://a.example']) assert.equal(urlIn(url), url)
  const others = ['javascript:alert(1)', 'data:,x', 'ftp://a', '//a', 'a.example', 'https://', ' https://a\n']
  for (const value of [...NO_TEXT, ...others, `https://a/${'x'.repeat(3000)}`])
    assert.equal(urlIn(value), undefined, String(value))
})

test('numberIn() takes what counts something', () => {
  for (const number of [0, 7, 2 ** 40]) assert.equal(numberIn(number), number)
  for (const value of [-1, 1.5, Number.NaN, 2 ** 60, '7', null, undefined])
    assert.equal(numberIn(value), undefined)
})

test('linesIn() takes the lines of a list, as many as are wanted', () => {
  assert.deepEqual(linesIn(['a', 7, null, 'b', 'c\n', 'd', 'e'], 6, 1), ['a', 'b', 'd'])
  for (const value of [undefined, null, 'abc', { 0: 'a' }]) assert.deepEqual(linesIn(value, 3, 3), [])
})

test('timeIn() takes times, and writes them as the registry does', () => {
  assert.equal(timeIn('2020-01-02T03:04:05.678901+00:00'), '2020-01-02T03:04:05Z')
  assert.equal(timeIn('2020-01-02T03:04:05+02:00'), '2020-01-02T01:04:05Z')
  for (const value of [null, 7, '', 'yesterday', `2020-01-02${' '.repeat(50)}`])
    assert.equal(timeIn(value), undefined)
})

test('parseRecord() takes a JSON object, asRecord() anything', () => {
  assert.deepEqual(parseRecord(Buffer.from('{"a":1}')), { a: 1 })
  for (const text of ['', '{', 'null', '7', '"a"']) assert.equal(parseRecord(Buffer.from(text)), undefined)
  assert.deepEqual(asRecord({ a: 1 }), { a: 1 })
  for (const value of [null, undefined, 7, 'a']) assert.deepEqual(asRecord(value), {})
})
