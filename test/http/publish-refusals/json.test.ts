import { encodePublishBody } from '../../../src/protocol/publish-body.ts'
import { crateFile, metadataFor } from '../../support/crate-file.ts'
import { testRefusals } from './refusal.ts'

const crate = crateFile()

/** A publish whose metadata is this text. */
function withJson(json: string | Uint8Array): Buffer {
  return Buffer.from(encodePublishBody(Buffer.from(json), crate.bytes()))
}

/** A publish whose metadata has these fields. */
function withFields(fields: object): Buffer {
  return withJson(JSON.stringify({ ...metadataFor(crate), ...fields }))
}

testRefusals('bad metadata', [
  { what: 'no JSON', publish: withJson('{'), detail: 'invalid metadata: must be JSON in UTF-8' },
  {
    what: 'no UTF-8',
    publish: withJson(Buffer.of(0x22, 0xff, 0x22)),
    detail: 'invalid metadata: must be JSON in UTF-8',
  },
  { what: 'a list', publish: withJson('[]'), detail: 'invalid metadata: must be a JSON object' },
  {
    what: 'no name',
    publish: withFields({ name: undefined }),
    detail: 'invalid `name` in metadata: must be a string, not absent',
  },
  {
    what: 'a number as version',
    publish: withFields({ vers: 1 }),
    detail: 'invalid `vers` in metadata: must be a string, not `1`',
  },
  {
    what: 'an object as dependencies',
    publish: withFields({ deps: {} }),
    detail: 'invalid `deps` in metadata: must be a list, not an object',
  },
  {
    what: 'a list as features',
    publish: withFields({ features: [] }),
    detail: 'invalid `features` in metadata: must be an object, not a list',
  },
  {
    what: 'a line break in a URL',
    publish: withFields({ homepage: 'https://a.example/\nx' }),
    detail:
      'invalid `homepage` in metadata: must be text without control characters, not `https://a.example/\uFFFDx`',
  },
  {
    what: 'a NUL in the description',
    publish: withFields({ description: 'a\0b' }),
    detail: 'invalid `description` in metadata: must be text without NUL, not `a\uFFFDb`',
  },
])
