package dev.distillery.spark.warehouse;

import org.apache.spark.sql.types.StructType;

/**
 * One of the canonical tables.
 *
 * @param name folder under the warehouse
 * @param description what one row is
 * @param schema columns in order, each with a comment; a column that is not nullable is required
 */
public record Table(String name, String description, StructType schema) {}
