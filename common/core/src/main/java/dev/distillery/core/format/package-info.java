/**
 * Files of models as far as the teacher that llama.cpp runs and the student read alike: the header
 * of GGUF, and what is said of a file that is not what it should be. Files are untrusted: every
 * length is checked against the file before it is believed.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.format;

import org.jspecify.annotations.NullMarked;
