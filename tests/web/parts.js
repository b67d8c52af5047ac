'use strict';
// parts.js [PART...]: the tests of the page, in this order; without names all of them.

const { run } = require('./bed');

const parts = Object.entries({ ...require('./first'), ...require('./journey'), ...require('./talk'), ...require('./files'), ...require('./strange'), ...require('./looks'), ...require('./links'), ...require('./many') });
const wanted = process.argv.slice(2);
run(parts.filter(([name]) => !wanted.length || wanted.some((one) => name.includes(one))));
