/**
 * Rules that say of a row whether it is good to train on: lengths, phrases, defects of instruction
 * sets, repetition, the rules of Gopher and C4, languages. Plain Java on texts; which rows are read
 * and what becomes of them belongs to the jobs.
 *
 * <p>May use: core.random, core.run, core.text.
 */
@NullMarked
package dev.distillery.core.filter;

import org.jspecify.annotations.NullMarked;
