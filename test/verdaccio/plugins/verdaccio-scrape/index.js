const { createRequire } = require('node:module')
const { join } = require('node:path')

// What the community's plugins for Prometheus do: show the default registry of the prom-client beside them.
exports.default = class Scrape {
  constructor(_merged, { config }) {
    this.register = createRequire(join(config.middlewares.scrape.from, 'package.json'))(
      'prom-client',
    ).register
  }

  register_middlewares(app) {
    app.get('/-/metrics', async (_request, response) => {
      response.type('text').send(await this.register.metrics())
    })
  }
}
