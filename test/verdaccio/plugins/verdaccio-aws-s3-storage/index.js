// In the place of the published plugin where that does not start: npm's files stay on the disk, and crates go into the
// bucket that the settings name.
module.exports = require('../verdaccio-elsewhere')
