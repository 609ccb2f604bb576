#!/usr/bin/env node
// SPDX-License-Identifier: BSD-2-Clause
//
// What a title looks like in an address, by Node.js.
//
//	[service slug]
//	plugin  = exec
//	mode    = line
//	command = node slug.js
//
//	$ bayctl call slug 'Crème brûlée, twice'
//	creme-brulee-twice
//
// A request is a line, and so is its reply. What goes to console.error comes into the log.
'use strict';

require('readline').createInterface({ input: process.stdin }).on('line', (title) => {
	const slug = title.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
		.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
	process.stdout.write(slug + '\n');
});
