import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { yankLine } from '../../src/protocol/yank-line.ts'

const SUM = 'a'.repeat(64)
const HEAD = `"name":"foo","vers":"1.0.0","deps":[],"cksum":"${SUM}","features":{}`

const CASES: readonly (readonly [string, string, string])[] = [
  ['says false', `{${HEAD},"yanked":false}`, `{${HEAD},"yanked":true}`],
  ['says true', `{${HEAD},"yanked":true}`, `{${HEAD},"yanked":true}`],
  ['says null', `{${HEAD},"yanked":null}`, `{${HEAD},"yanked":true}`],
  ['says nothing', `{${HEAD}}`, `{${HEAD},"yanked":true}`],
  ['says nothing and has spaces', `{${HEAD} } \r`, `{${HEAD} ,"yanked":true} \r`],
  ['says it first', `{"yanked":false,${HEAD}}`, `{"yanked":true,${HEAD}}`],
  ['has spaces', `{ "yanked" \t:  false , ${HEAD} }`, `{ "yanked" \t:  true , ${HEAD} }`],
  ['ends in CR', `{${HEAD},"yanked":false}\r`, `{${HEAD},"yanked":true}\r`],
  ['escapes the key', `{${HEAD},"\\u0079anked":false}`, `{${HEAD},"\\u0079anked":true}`],
  [
    'has the key within',
    `{"extra":{"yanked":false},"list":[{"yanked":false}],${HEAD},"yanked":false}`,
    `{"extra":{"yanked":false},"list":[{"yanked":false}],${HEAD},"yanked":true}`,
  ],
  [
    'has the key only within',
    `{${HEAD},"extra":{"yanked":false}}`,
    `{${HEAD},"extra":{"yanked":false},"yanked":true}`,
  ],
  [
    'has the key as a value',
    `{"links":"yanked",${HEAD},"yanked":false}`,
    `{"links":"yanked",${HEAD},"yanked":true}`,
  ],
  [
    'has the key in a text',
    `{"links":"\\"yanked\\":false,{[\\\\",${HEAD},"yanked":false}`,
    `{"links":"\\"yanked\\":false,{[\\\\",${HEAD},"yanked":true}`,
  ],
  [
    'has brackets in a text',
    `{"links":"}}]]{{","\\"yanked\\":":1,${HEAD},"yanked":false}`,
    `{"links":"}}]]{{","\\"yanked\\":":1,${HEAD},"yanked":true}`,
  ],
  [
    'is not of ASCII',
    `{"links":"é🦀\u2028",${HEAD},"yanked":false}`,
    `{"links":"é🦀\u2028",${HEAD},"yanked":true}`,
  ],
]

for (const [what, line, wanted] of CASES) {
  test(`yankLine() changes the one value when the line ${what}`, () => {
    assert.equal(yankLine(line), wanted)
    const [before, after] = [parseLines(line)[0], parseLines(wanted)[0]]
    assert.deepEqual(after, { ...before, yanked: true })
    assert.equal(yankLine(wanted), wanted)
  })
}
