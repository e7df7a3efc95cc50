/** A browser for the tests of pages. */
@NullMarked
package dev.distillery.jobs.browser;

import org.jspecify.annotations.NullMarked;
