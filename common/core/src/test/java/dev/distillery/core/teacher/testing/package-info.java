/**
 * Servers that tests of every module talk to: a scripted fake one and the real llama.cpp one. Each
 * can run in a process of its own, for tests of clusters. Nothing of the product depends on it.
 */
@NullMarked
package dev.distillery.core.teacher.testing;

import org.jspecify.annotations.NullMarked;
