/** Self-Instruct: its seed tasks, and what it generated. */
@NullMarked
package dev.distillery.datasets.selfinstruct;

import org.jspecify.annotations.NullMarked;
