const { createRequire } = require('node:module')

const { default: LocalStorage } = createRequire(process.argv[1])('@verdaccio/local-storage')

// A store plugin for version 9, which has none but its own so far: that one under another name.
exports.default = class Elsewhere extends LocalStorage {
  constructor(_settings, { config, logger }) {
    super(config, logger)
  }
}
