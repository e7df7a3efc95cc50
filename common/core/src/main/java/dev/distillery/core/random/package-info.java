/**
 * Random numbers by counter: what is drawn depends on what it is for, and on nothing that was drawn
 * before.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.random;

import org.jspecify.annotations.NullMarked;
