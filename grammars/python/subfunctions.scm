; What can be repaired on its own.
(function_definition name: (identifier) @name parameters: (parameters) @parameters) @function
(class_definition name: (identifier) @name) @class
