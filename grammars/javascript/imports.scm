; Of one import: the @module, the @name in it, the @alias under which it is known here; @main is an
; alias for what the module gives when no name is asked for, @all for its names as they are.
(import_statement (import_clause (identifier) @main) source: (_) @module)
(import_statement (import_clause (namespace_import (identifier) @alias)) source: (_) @module)
(import_statement (import_clause (named_imports (import_specifier !alias name: (identifier) @name)))
  source: (_) @module)
(import_statement (import_clause (named_imports
  (import_specifier name: _ @name alias: (identifier) @alias))) source: (_) @module)
(export_statement (export_clause (export_specifier !alias name: _ @name)) source: (_) @module)
(export_statement (export_clause (export_specifier name: _ @name alias: _ @alias))
  source: (_) @module)
(export_statement (namespace_export (identifier) @alias) source: (_) @module)
(export_statement "*" @all source: (_) @module)

(variable_declarator name: (identifier) @main
  value: (call_expression arguments: (arguments . (string) @module)))
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @name)
  value: (call_expression arguments: (arguments . (string) @module)))
(variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @name value: (identifier) @alias))
  value: (call_expression arguments: (arguments . (string) @module)))
